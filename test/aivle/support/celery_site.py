"""The site's side of the broker, by the real Celery, configured as the site configures it.

  python celery_site.py BROKER_URL    takes {"do": …} lines, answers each with one line
"""

import json
import sys
import time

from celery import Celery
from celery.result import AsyncResult
from kombu import Queue
from kombu.exceptions import OperationalError

app = Celery("aiVLE")
app.conf.update(
    broker_url=sys.argv[1],
    result_backend="rpc" if sys.argv[1].startswith("amqp") else None,
    accept_content=["application/json"],
    task_serializer="json",
    result_serializer="json",
    timezone="Asia/Singapore",
    task_default_queue="default",
    task_queues=(
        Queue("default", routing_key="task.#"),
        Queue("gpu", routing_key="gpu.#"),
        Queue("private", routing_key="private.#"),
        # Not the site's own; RabbitMQ's operators may have it make such.
        Queue("quorum", queue_arguments={"x-queue-type": "quorum"}),
    ),
    # What the broker has confirmed it has, whatever happens to it next.
    broker_transport_options={"confirm_publish": True} if sys.argv[1].startswith("amqp") else {},
)


@app.task(bind=True, name="aiVLE.submit_eval_task")
def evaluate(self, job_id):
    pass


def publish(job, queue, **options):
    while True:
        try:
            return evaluate.apply_async(args=[job], queue=queue, **options).id
        except (OperationalError, ConnectionError):
            time.sleep(0.2)


def act(order):
    do = order.pop("do")
    if do == "publish":
        return publish(**order)
    if do == "result":
        return AsyncResult(order["id"], app=app).get(timeout=order["timeout"], propagate=False)
    if do == "left":
        with app.connection_for_read() as connection:
            return connection.default_channel.queue_declare("default", passive=True).message_count
    if do == "other task":
        return app.send_task("aiVLE.another", args=[1], queue="default").id
    return app.control.broadcast(do, reply=True, timeout=5, **order)


for line in sys.stdin:
    try:
        answer = {"answer": act(json.loads(line))}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer, default=repr), flush=True)
