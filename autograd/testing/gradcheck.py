"""``@gradcheck``: a function becomes a test of its derivatives, at inputs that hypothesis draws."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from .check import check_gradients
from .errors import GradientError
from .truth import mpmath_oracle

if TYPE_CHECKING:
    from hypothesis import settings
    from hypothesis.strategies import SearchStrategy

Function = Callable[..., Any]


def gradcheck(*args: Any, order: int = 1, **inputs: SearchStrategy[Any]) -> Callable[[Function], Function]:
    """Make a test of a function: ``check_gradients`` of it, at inputs that hypothesis draws and shrinks.

    The test has the name of the function, so that pytest finds it if that begins with ``test``. How many inputs are
    drawn is said by the settings of hypothesis, as for every test with ``@given``, or by ``--gradcheck-examples N``
    for all tests that have no ``@settings`` of their own. ``@settings``, ``@example`` and ``assume`` are used as ever.
    Arguments that are not drawn come from pytest (``self``, ``parametrize``, fixtures that are not made anew for each
    test, for hypothesis refuses those) and are not differentiated.
    Without ``@settings``, and unless a profile has a deadline of its own, a check may take as long as it takes.

    Args:
        args: there are none, and it says so where the parentheses were forgotten.
        order: 2 also checks the derivatives of each partial derivative, and so on.
        inputs: for each argument that is drawn a strategy of numbers, or of (nested) lists of numbers.

    Raises:
        TypeError: what is decorated is no function, it has no such argument, what is given is not a strategy, or there
            are no parentheses after ``@gradcheck``.
        ValueError: ``order`` is not a whole number >= 1.
        ImportError: hypothesis is missing.

    >>> import autograd
    >>> from autograd.testing.strategies import positive, reals
    >>> @gradcheck(x=reals(-3, 3), y=positive())
    ... def test_polar(x, y):
    ...     return autograd.hypot(x, y) * autograd.atan2(y, x)
    >>> test_polar()
    """
    try:
        from hypothesis import given
        from hypothesis.strategies import SearchStrategy
    except ImportError as error:
        raise ImportError(
            "gradcheck draws with hypothesis, which is not installed: pip install 'chainrule[test]'"
        ) from error
    if args:
        raise TypeError("gradcheck takes a strategy for each argument by its name: @gradcheck(x=reals(-3, 3))")
    if type(order) is not int or order < 1:
        raise ValueError(f"order is a whole number >= 1, got {shown(order)}")
    for name, strategy in inputs.items():
        if not isinstance(strategy, SearchStrategy):
            raise TypeError(f"gradcheck takes strategies, such as {name}=reals(-3, 3), got {name}={shown(strategy)}")
    mpmath_oracle()  # loading mpmath takes longer than a drawn example may

    def decorate(f: Function) -> Function:
        parameters = _parameters(f, inputs)
        drawn = [p for p in parameters if p.name in inputs]
        signature = inspect.Signature(parameters)

        @functools.wraps(f)
        def check(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            given_to_test = signature.bind(*args, **kwargs).arguments
            numbers = {p.name: given_to_test.pop(p.name) for p in drawn}

            def function(*values: Any) -> Any:
                return f(**given_to_test, **dict(zip(numbers, values, strict=True)))

            function.__signature__ = inspect.Signature(drawn)  # type: ignore[attr-defined]  # names for the report
            try:
                check_gradients(function, *numbers.values(), order=order)
            except GradientError as error:
                raise error.with_traceback(None) from None  # its message says it all

        check.__signature__ = signature  # type: ignore[attr-defined]
        with _by_default(unhurried()):
            test: Any = given(**inputs)(check)
        # What pytest shows of a failure is where the code of the test says that it is: ``f``, not the lines above.
        place = {"co_filename": f.__code__.co_filename, "co_firstlineno": f.__code__.co_firstlineno}
        test.__code__ = test.__code__.replace(**place)
        test.__qualname__ = f.__qualname__
        test.is_gradcheck = True
        return test  # type: ignore[no-any-return]

    return decorate


def unhurried() -> settings:
    """The settings of hypothesis, but for its own deadline of 200 ms: the check of a long list takes longer."""
    from hypothesis import settings

    chosen = settings().deadline != settings.get_profile("default").deadline
    return settings() if chosen else settings(deadline=None)


@contextmanager
def _by_default(profile: settings) -> Iterator[None]:
    """Tests that are made inside have these settings, and can still be given others by ``@settings``."""
    current = profile.get_current_profile_name()
    profile.register_profile("gradcheck", profile)
    profile.load_profile("gradcheck")
    try:
        yield
    finally:
        profile.load_profile(current)


def _parameters(f: Function, inputs: dict[str, Any]) -> list[inspect.Parameter]:
    """The parameters of ``f`` that are drawn, and those that pytest is to give; none has a default.

    Raises:
        TypeError: ``f`` is no function, or does not take ``inputs`` by their names.
    """
    if not inspect.isfunction(f):
        raise TypeError(f"gradcheck decorates a function, got {shown(f)}")
    parameters = [
        p.replace(default=p.empty)
        for p in inspect.signature(f).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and (p.name in inputs or p.default is p.empty)
    ]
    unknown = sorted(inputs.keys() - {p.name for p in parameters})
    if unknown or not inputs:
        reason = f"it has no argument named {', '.join(unknown)}" if unknown else "no strategies are given"
        raise TypeError(f"gradcheck of {f.__name__}{inspect.signature(f)}: {reason}")
    return parameters
