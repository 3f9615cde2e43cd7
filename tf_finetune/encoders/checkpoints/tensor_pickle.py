"""Reads a pickle that holds tensors and nothing else, without Python's unpickler.

`pickle` calls whatever a file names. Here the operations that `torch.save` needs for a dictionary
of tensors are followed by hand: names are compared with the few that are admitted and never
looked up, so that nothing of the file can run. The same idea is behind `weights_only` of
PyTorch, which is not needed here.
"""

import pickletools
import struct
import warnings
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

from tf_finetune.encoders.checkpoints.tensor_file import quoted

# What a storage of each kind holds, in safetensors' words.
STORAGES = {
    **{"torch.FloatStorage": "F32", "torch.HalfStorage": "F16", "torch.BFloat16Storage": "BF16"},
    **{"torch.DoubleStorage": "F64", "torch.LongStorage": "I64", "torch.IntStorage": "I32"},
    **{"torch.ShortStorage": "I16", "torch.CharStorage": "I8", "torch.ByteStorage": "U8"},
    **{"torch.BoolStorage": "BOOL"},
}
_DICTIONARY = "collections.OrderedDict"
_TENSOR = "torch._utils._rebuild_tensor_v2"
_PARAMETER = "torch._utils._rebuild_parameter"
_ADMITTED = {_DICTIONARY, _TENSOR, _PARAMETER, *STORAGES}


class NotTensors(Exception):
    """The pickle holds something else, which the message names."""


class Damaged(Exception):
    """The bytes are no whole pickle, or one that `torch.save` does not write."""


class Name(NamedTuple):
    """A name that is admitted, which Python's unpickler would import."""

    dotted: str


class Storage(NamedTuple):
    """Values that lie elsewhere in the file.

    Attributes:
        dtype: In safetensors' words.
        key: By which the file knows them.
        length: How many there are.
    """

    dtype: str
    key: str
    length: int


class View(NamedTuple):
    """A tensor: values of a storage.

    Attributes:
        storage: Where they lie.
        offset: Of the first, in values.
        shape: Of the tensor.
        strides: From one value to the next along each axis, in values.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_pickle(stream: BinaryIO) -> Any:
    """Follows one pickle to its end.

    Returns:
        What it holds: dictionaries, lists, tuples, texts, numbers, `Storage` and `View`.

    Raises:
        NotTensors: It names anything but tensors, or uses an operation that they do not need.
        Damaged: It ends early or makes no sense.
    """
    machine = _Machine()
    try:
        with warnings.catch_warnings():
            # Of escapes in a damaged text that Python does not know.
            warnings.simplefilter("ignore", DeprecationWarning)
            for operation, argument, _ in pickletools.genops(stream):
                if operation.name == "STOP":
                    return machine.stack.pop()
                machine.follow(operation.name, argument)
    except (ValueError, LookupError, TypeError, struct.error) as error:
        raise Damaged(str(error)) from None
    raise Damaged("it does not end")


class _Machine:
    """The stack and the memo of a pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks under each mark
        self.memo: dict[int, Any] = {}

    def follow(self, name: str, argument: Any) -> None:
        """One operation."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            self.stack.append(argument)
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        else:
            raise NotTensors(f"the operation {name} of pickles")

    def to_mark(self) -> list[Any]:
        """What was put there since the last mark."""
        above, self.stack = self.stack, self.below.pop()
        return above

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def put(self, key: Any) -> None:
        self.memo[len(self.memo) if key is None else key] = self.stack[-1]

    def get(self, key: int) -> None:
        self.stack.append(self.memo[key])

    def name(self, words: str | None) -> None:
        if words is None:
            module, inside = self.take(2)
            words = f"{module} {inside}"
        dotted = ".".join(words.split(" ", 1))
        if dotted not in _ADMITTED:
            raise NotTensors(quoted(dotted))
        self.stack.append(Name(dotted))

    def take(self, count: int) -> list[Any]:
        """The uppermost values, which leave the stack."""
        if len(self.stack) < count:
            raise Damaged("it takes more than it holds")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        keys, values = items[::2], items[1::2]
        if type(target) is not dict or not all(isinstance(key, str) for key in keys):
            raise Damaged("it fills what is no dictionary of texts")
        target.update(zip(keys, values, strict=True))

    def append_items(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise Damaged("it fills what is no list")
        self.stack[-1].extend(items)

    def call(self, _: Any) -> None:
        function, arguments = self.take(2)
        if type(function) is not Name or type(arguments) is not tuple:
            raise Damaged("it calls what has no name")
        if function.dotted == _DICTIONARY and not arguments:
            self.stack.append({})
        elif function.dotted == _TENSOR:
            self.stack.append(_view(arguments))
        elif function.dotted == _PARAMETER and arguments and type(arguments[0]) is View:
            self.stack.append(arguments[0])
        else:
            raise Damaged(f"it calls {function.dotted} with something else")

    def build(self, _: Any) -> None:
        # A state of PyTorch's dictionaries: the versions of modules, which nothing here needs.
        target, state = self.take(2)
        if type(target) is not dict or type(state) is not dict:
            raise Damaged("it changes what is no dictionary")
        self.stack.append(target)

    def storage(self, _: Any) -> None:
        (found,) = self.take(1)
        match found:
            case ("storage", Name(dotted), str(key), str(), int(length), *more) if length >= 0:
                # Older files may add a part of the storage, None where it is all of it.
                if dotted in STORAGES and more in ([], [None]):
                    self.stack.append(Storage(STORAGES[dotted], key, length))
                    return
        raise Damaged("a storage is described in another way")


def _view(arguments: tuple[Any, ...]) -> View:
    match arguments:
        case (Storage() as storage, int(offset), tuple(shape), tuple(strides), *_):
            numbers = (offset, *shape, *strides)
            if len(shape) == len(strides) and all(type(n) is int and n >= 0 for n in numbers):
                return View(storage, offset, shape, strides)
    raise Damaged("a tensor is described in another way")


_CONSTANTS: Mapping[str, Any] = {
    **{"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()},
}
_LITERALS = {
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"),
}
_OPERATIONS: Mapping[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": _Machine.mark,
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.to_mark())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.take(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.take(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.take(3))),
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.to_mark()),
    "APPEND": lambda machine, _: machine.append_items(machine.take(1)),
    "APPENDS": lambda machine, _: machine.append_items(machine.to_mark()),
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.storage,
}
