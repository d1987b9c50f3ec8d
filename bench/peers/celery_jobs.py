"""Empty tasks through Celery's ten worker processes over RabbitMQ, with the promises our jobs make.

Late acknowledgement (a task of a killed worker is done again), persistent messages, stored results. Usage:
  python celery_jobs.py URL COUNT IDLE_COUNT    prints {"rate": tasks/s, "idle_ms": [submitted → result there, …]}
COUNT tasks are queued before a worker is there, so that the rate is the workers' own: from the first task's end to the last.
"""

import json
import subprocess
import sys
import time

from celery import Celery

app = Celery("celery_jobs", broker=sys.argv[1] if __name__ == "__main__" else None)
app.conf.update(
    result_backend="rpc://",
    result_persistent=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_delivery_mode="persistent",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


@app.task(name="nothing")
def nothing():
    return time.time()


def main():
    url, count, idle = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    results = [nothing.delay() for _ in range(count)]
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_jobs", "-b", url, "worker", "-c", "10", "-l", "ERROR",
         "--without-gossip", "--without-mingle", "--without-heartbeat"],
        cwd=sys.path[0], stdout=subprocess.DEVNULL,
    )
    try:
        # Looked at once it is over: reading results would take the workers' time.
        while waiting() > 0:
            time.sleep(0.2)
        ends = [result.get(timeout=60) for result in results]
        rate = (count - 1) / (max(ends) - min(ends))
        idle_ms = []
        for _ in range(idle):
            began = time.perf_counter()
            nothing.delay().get(timeout=60, interval=0.001)
            idle_ms.append((time.perf_counter() - began) * 1000)
            time.sleep(0.02)
        print(json.dumps({"rate": rate, "idle_ms": idle_ms}))
    finally:
        worker.terminate()
        worker.wait()


def waiting():
    with app.connection_for_read() as connection:
        return connection.default_channel.queue_declare("celery", passive=True).message_count


if __name__ == "__main__":
    main()
