"""A grid search on a cluster of Dask, one of whose two worker processes is killed: nothing is lost."""

import multiprocessing
import os
import signal
from itertools import chain

import joblib
import numpy as np
from dask.distributed import Client, LocalCluster, SchedulerPlugin
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from nn.estimators import MLPClassifier


class Killer(SchedulerPlugin):
    """Kills the worker that has just finished a task and begun another, once some tasks are done.

    Attributes:
        done: the tasks that some worker has finished.
        lost: those that the killed worker had begun, or was about to begin.
    """

    def __init__(self, scheduler, processes, after):
        self.scheduler, self.processes, self.after = scheduler, processes, after
        self.done, self.lost = set(), set()

    def transition(self, key, start, finish, *args, worker=None, **kwargs):
        """Called by the scheduler, which waits for it, when a task has changed its state."""
        if (start, finish) == ("processing", "memory"):
            self.done.add(key)
            begun = {task.key for task in self.scheduler.workers[worker].processing}
            if len(self.done) >= self.after and begun and not self.lost:
                self.lost = begun
                os.kill(self.processes[worker], signal.SIGKILL)


def test_a_search_is_the_same_when_one_of_two_workers_is_killed(tmp_path):
    xs, labels = make_moons(200, noise=0.3, random_state=0)
    splits = list(StratifiedKFold(3).split(xs, labels))  # joblib scatters arrays of 1000 bytes and more
    assert min(part.nbytes for part in (xs, labels, *(train for train, _ in splits))) > 1000
    grid = {"activation": ["relu", "tanh"], "l2": [0.0, 0.01]}
    network = MLPClassifier((8,), learning_rate_init=0.03, max_iter=20, random_state=0)
    search = GridSearchCV(network, grid, cv=splits, scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss")
    cluster = LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # any free port; None would be 8787
        local_directory=tmp_path,
    )
    with cluster, Client(cluster) as client:
        client.amm.stop()
        processes = client.run(os.getpid)
        killer = Killer(cluster.scheduler, processes, after=3)
        cluster.scheduler.add_plugin(killer)
        with joblib.parallel_config("dask", scatter=[xs, labels, *chain(*splits)]):
            search.fit(xs, labels)
    assert not multiprocessing.active_children()
    assert killer.lost
    assert killer.lost <= killer.done
    found, predicted = search.cv_results_, search.predict_proba(xs)
    search.fit(xs, labels)  # in this process
    assert np.array_equal(predicted, search.predict_proba(xs))
    for name, expected in search.cv_results_.items():
        if "time" not in name:
            assert np.array_equal(found[name], expected), name
