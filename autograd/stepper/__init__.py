"""The stepper: an interactive page that walks through the chain rule, one contribution at a time."""

from .page import Stepper as Stepper
