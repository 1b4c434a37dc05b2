"""Methods of fine-tuning: supervised, DPO, reinforcement."""

from typing import Annotated, ClassVar, Generic, Literal, Self, TypeAlias, TypeVar, cast, overload

from attrs import field, fields

from fine_tuning_async.errors import InvalidArgumentError

from ._base import JSONObject, WireObject, model
from ._limits import Fraction, OneOf, Whole, check
from .graders import Grader

__all__ = [
    "DPOHyperparameters",
    "DPOMethod",
    "Method",
    "ReinforcementHyperparameters",
    "ReinforcementMethod",
    "SupervisedHyperparameters",
    "SupervisedMethod",
]

T = TypeVar("T")
H = TypeVar("H", bound=WireObject)

Auto: TypeAlias = Literal["auto"]

# What a caller may send, from the schemas FineTune*Hyperparameters. Servers answer with more (-1, null).
Epochs: TypeAlias = Annotated[int | str | None, Whole(1, 50)]
BatchSize: TypeAlias = Annotated[int | str | None, Whole(1, 256)]
Multiplier: TypeAlias = Annotated[float | str | None, Fraction(above=0)]
Beta: TypeAlias = Annotated[float | str | None, Fraction(above=0, maximum=2)]
ComputeMultiplier: TypeAlias = Annotated[float | str | None, Fraction(above=1e-05, maximum=10)]
Count: TypeAlias = Annotated[int | str | None, Whole(1)]
Effort: TypeAlias = Annotated[str | None, OneOf(("default", "low", "medium", "high"))]


@model
class SupervisedHyperparameters(WireObject):
    """Each is a number or "auto" (schema FineTuneSupervisedHyperparameters)."""

    n_epochs: Epochs = None
    batch_size: BatchSize = None
    learning_rate_multiplier: Multiplier = None


@model
class DPOHyperparameters(WireObject):
    """Each is a number or "auto" (schema FineTuneDPOHyperparameters)."""

    n_epochs: Epochs = None
    batch_size: BatchSize = None
    learning_rate_multiplier: Multiplier = None
    beta: Beta = None


@model
class ReinforcementHyperparameters(WireObject):
    """Each is a number or "auto", the effort a word (schema FineTuneReinforcementHyperparameters)."""

    n_epochs: Epochs = None
    batch_size: BatchSize = None
    learning_rate_multiplier: Multiplier = None
    compute_multiplier: ComputeMultiplier = None
    eval_interval: Count = None
    eval_samples: Count = None
    reasoning_effort: Effort = None


@model
class SupervisedMethod(WireObject):
    """The settings of supervised fine-tuning (schema FineTuneSupervisedMethod)."""

    hyperparameters: SupervisedHyperparameters | None = None


@model
class DPOMethod(WireObject):
    """The settings of direct preference optimisation (schema FineTuneDPOMethod)."""

    hyperparameters: DPOHyperparameters | None = None


@model
class ReinforcementMethod(WireObject):
    """The settings of reinforcement fine-tuning (schema FineTuneReinforcementMethod)."""

    grader: Grader | None = None
    hyperparameters: ReinforcementHyperparameters | None = None
    response_format: JSONObject | None = None


class _Branch(Generic[T]):
    """One word for two things: `Method.dpo(...)` builds a method, `job.method.dpo` reads its settings.

    The API gave the field that name, and a method is best built by it too.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute: str = f"_{name}"
        # What help() and error messages call it.
        build = vars(type(self))["__call__"]
        build.__name__, build.__qualname__ = name, f"{owner.__name__}.{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: "Method", owner: type) -> T | None: ...

    def __get__(self, instance: "Method | None", owner: type) -> Self | T | None:
        if instance is None:
            # The bound method is the same to call, and is known to help() and inspect as what it is.
            return cast("Self", vars(type(self))["__call__"].__get__(self))
        settings: T | None = getattr(instance, self._attribute)
        return settings


class _Supervised(_Branch[SupervisedMethod]):
    def __call__(
        self,
        *,
        n_epochs: int | Auto | None = None,
        batch_size: int | Auto | None = None,
        learning_rate_multiplier: float | Auto | None = None,
    ) -> "Method":
        """Return a supervised method; what is left out is the server's choice.

        Raises:
            InvalidArgumentError: A value is out of the specification's range.
        """
        chosen = SupervisedHyperparameters(n_epochs, batch_size, learning_rate_multiplier)
        return _checked(Method("supervised", supervised=SupervisedMethod(_unless_empty(chosen))))


class _DPO(_Branch[DPOMethod]):
    def __call__(
        self,
        *,
        n_epochs: int | Auto | None = None,
        batch_size: int | Auto | None = None,
        learning_rate_multiplier: float | Auto | None = None,
        beta: float | Auto | None = None,
    ) -> "Method":
        """Return a DPO method; what is left out is the server's choice.

        Raises:
            InvalidArgumentError: A value is out of the specification's range.
        """
        chosen = DPOHyperparameters(n_epochs, batch_size, learning_rate_multiplier, beta)
        return _checked(Method("dpo", dpo=DPOMethod(_unless_empty(chosen))))


class _Reinforcement(_Branch[ReinforcementMethod]):
    def __call__(
        self,
        grader: Grader,
        *,
        response_format: JSONObject | None = None,
        n_epochs: int | Auto | None = None,
        batch_size: int | Auto | None = None,
        learning_rate_multiplier: float | Auto | None = None,
        compute_multiplier: float | Auto | None = None,
        eval_interval: int | Auto | None = None,
        eval_samples: int | Auto | None = None,
        reasoning_effort: Literal["default", "low", "medium", "high"] | None = None,
    ) -> "Method":
        """Return a reinforcement method scored by a grader; what is left out is the server's choice.

        Raises:
            InvalidArgumentError: A value is out of the specification's range.
        """
        if not isinstance(grader, WireObject):
            raise InvalidArgumentError(f"grader is {grader!r}; it must be a grader, such as a StringCheckGrader")
        chosen = ReinforcementHyperparameters(
            n_epochs,
            batch_size,
            learning_rate_multiplier,
            compute_multiplier,
            eval_interval,
            eval_samples,
            reasoning_effort,
        )
        settings = ReinforcementMethod(grader, _unless_empty(chosen), response_format)
        return _checked(Method("reinforcement", reinforcement=settings))


@model
class Method(WireObject):
    """How a job trains (schema FineTuneMethod): a type, and the settings under that name.

    Build one with `Method.supervised(...)`, `Method.dpo(...)` or `Method.reinforcement(grader, ...)`; read one
    with `method.type` and `method.supervised`, `.dpo`, `.reinforcement`, of which the others are None.
    """

    type: str
    _supervised: SupervisedMethod | None = field(default=None, alias="supervised")
    _dpo: DPOMethod | None = field(default=None, alias="dpo")
    _reinforcement: ReinforcementMethod | None = field(default=None, alias="reinforcement")

    supervised: ClassVar[_Supervised] = _Supervised()
    dpo: ClassVar[_DPO] = _DPO()
    reinforcement: ClassVar[_Reinforcement] = _Reinforcement()

    def __repr__(self) -> str:
        settings = ((name, getattr(self, name)) for name in ("supervised", "dpo", "reinforcement"))
        given = "".join(f", {name}={value!r}" for name, value in settings if value is not None)
        return f"{type(self).__name__}(type={self.type!r}{given})"


def _checked(method: Method) -> Method:
    check(method, "method")
    return method


def _unless_empty(hyperparameters: H) -> H | None:
    given = (getattr(hyperparameters, each.name) for each in fields(type(hyperparameters)))
    return hyperparameters if any(value is not None for value in given) else None
