"""The shared benchmark tasks.

>>> from reservoir.tasks import get_task
>>> task = get_task("narma10", train_length=1000, test_length=1000)
>>> data = task.generate(seed=0)
>>> data.train.inputs[0].shape
(1200, 1)
"""

from reservoir.tasks.base import Data, Split, Task
from reservoir.tasks.registry import as_task, get_task, list_tasks

__all__ = ["Data", "Split", "Task", "as_task", "get_task", "list_tasks"]
