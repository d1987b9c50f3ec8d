"""Draws predictions of many kinds and scores them by scikit-learn: a JSON list of [metric, labels, predictions, classes, score]."""
import json
import sys
import warnings

import numpy
from sklearn import metrics

warnings.simplefilter("ignore")
draw = numpy.random.default_rng(int(sys.argv[1]))
cases = []


def add(metric, labels, predictions, classes, score):
    cases.append([metric, numpy.asarray(labels).tolist(), numpy.asarray(predictions).tolist(), classes, float(score)])


for size in (1, 2, 3, 10, 100, 1000):
    for classes in ([0, 1], ["no", "yes"], ["a", "b", "c"], list(range(7))):
        labels = draw.choice(classes, size)
        for guesses in (labels, draw.choice(classes, size), numpy.full(size, classes[0]), draw.choice(classes[1:], size)):
            add("accuracy", labels, guesses, classes, metrics.accuracy_score(labels, guesses))
            add("balanced-accuracy", labels, guesses, classes, metrics.balanced_accuracy_score(labels, guesses))
            for average in ("macro", "weighted"):
                score = metrics.f1_score(labels, guesses, average=average, zero_division=0)
                add("f1-" + average, labels, guesses, classes, score)
            add("matthews", labels, guesses, classes, metrics.matthews_corrcoef(labels, guesses))
            if len(classes) == 2:
                score = metrics.f1_score(labels, guesses, pos_label=classes[1], zero_division=0)
                add("f1-binary", labels, guesses, classes, score)
        chances = draw.dirichlet(numpy.ones(len(classes)) / 3, size)
        for given in (chances, numpy.eye(len(classes))[draw.integers(len(classes), size=size)]):
            add("log-loss", labels, given, classes, metrics.log_loss(labels, given, labels=classes))
        if len(classes) == 2 and len(set(labels.tolist())) == 2:
            for scores in (draw.normal(size=size), draw.integers(4, size=size), numpy.zeros(size)):
                positive = labels == classes[1]
                add("auroc", labels, scores, classes, metrics.roc_auc_score(positive, scores))
                add("average-precision", labels, scores, classes, metrics.average_precision_score(positive, scores))
    for scale in (1e-6, 1, 1e6):
        truth = draw.normal(3, scale, size)
        for guesses in (truth, truth + draw.normal(0, scale, size), numpy.full(size, 3.0)):
            add("mse", truth, guesses, [], metrics.mean_squared_error(truth, guesses))
            add("rmse", truth, guesses, [], metrics.root_mean_squared_error(truth, guesses))
            add("mae", truth, guesses, [], metrics.mean_absolute_error(truth, guesses))
            add("median-ae", truth, guesses, [], metrics.median_absolute_error(truth, guesses))
            if size > 1:
                add("r2", truth, guesses, [], metrics.r2_score(truth, guesses))
    if size > 1:
        add("r2", numpy.full(size, 2.0), numpy.full(size, 2.0), [], metrics.r2_score(numpy.full(size, 2.0), numpy.full(size, 2.0)))
        add("r2", numpy.full(size, 2.0), truth, [], metrics.r2_score(numpy.full(size, 2.0), truth))
print(json.dumps(cases))
