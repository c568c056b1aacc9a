"""Programs: scalar code in, matrix program out."""

from .program import Program as Program
from .program import Report as Report
from .program import compile as compile
