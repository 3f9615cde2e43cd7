"""A data set that every Python brings along: the docstrings of its standard library.

The label is the area of the library: which chapters of the Python library reference the
module belongs to. Made for trying things out without a download.
"""

import ast
import platform
import sysconfig
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path

from tf_finetune.errors import UserError
from tf_finetune.sources.file_content import named_file_chunks
from tf_finetune.sources.table import Row, Table

RULES_VERSION = 1
MIN_CHARACTERS = 20

# Area -> top-level modules, after the chapters of https://docs.python.org/3/library/.
# Left out: tests, IDLE and lib2to3 (applications), distutils (gone in 3.12), encodings
# (generated one-liners), and platform internals that no chapter documents.
AREAS = {
    # Text processing, binary data, data types, numeric and mathematical, functional
    "data_types": """
        string re difflib textwrap stringprep sre_compile sre_constants sre_parse struct codecs
        datetime _pydatetime _strptime calendar zoneinfo collections _collections_abc heapq bisect
        weakref _weakrefset types copy pprint reprlib enum graphlib numbers decimal _pydecimal
        _pylong fractions random statistics functools operator colorsys""",
    # File and directory access, persistence, compression, file formats, multimedia
    "files": """
        pathlib posixpath ntpath genericpath nturl2path fileinput stat filecmp tempfile glob
        fnmatch linecache shutil pickle copyreg shelve dbm sqlite3 gzip bz2 lzma zipfile tarfile
        _compression csv configparser tomllib netrc xdrlib plistlib io _pyio aifc chunk imghdr
        sndhdr sunau wave""",
    # Cryptographic, generic operating system and Unix services
    "operating_system": """
        hashlib hmac secrets os logging platform ctypes crypt pipes pty tty signal uuid time""",
    # Concurrent execution, networking and interprocess communication
    "concurrency": """
        threading _threading_local multiprocessing concurrent subprocess sched queue contextvars
        asyncio socket ssl selectors asyncore asynchat""",
    # Internet data handling, structured markup
    "internet_data": """
        email json mailcap mailbox mimetypes base64 binhex quopri uu html _markupbase xml""",
    # Internet protocols and support
    "internet_protocols": """
        webbrowser wsgiref urllib http ftplib poplib imaplib nntplib smtplib smtpd telnetlib
        socketserver xmlrpc ipaddress cgi cgitb""",
    # Internationalization, program frameworks, graphical and command-line interfaces
    "user_interfaces": """
        tkinter turtle turtledemo curses cmd shlex argparse optparse getopt getpass gettext locale
        rlcompleter""",
    # Development tools, debugging and profiling, packaging
    "development_tools": """
        typing pydoc doctest unittest bdb pdb timeit trace tracemalloc profile cProfile pstats
        venv ensurepip zipapp""",
    # Runtime services, custom interpreters, importing modules, language services
    "language_services": """
        sysconfig warnings dataclasses contextlib abc _py_abc traceback __future__ inspect site
        _sitebuiltins code codeop zipimport pkgutil modulefinder runpy importlib imp ast symtable
        token keyword tokenize tabnanny pyclbr py_compile compileall dis opcode pickletools""",
}
_AREA_OF = {module: area for area, modules in AREAS.items() for module in modules.split()}
_LEFT_OUT_FOLDERS = {"test", "tests", "_bundled"}


def open_docstrings(source: str) -> Table:
    """Opens the docstrings of the running Python; the columns are `text` and `label`.

    Modules are parsed, never imported. A text is a docstring with every run of white space
    made one space, at least 20 characters long; of equal ones the first is kept. They come
    in the order of file paths and lines.

    Raises:
        UserError: This Python has no source of its standard library.
    """
    root = Path(sysconfig.get_path("stdlib"))
    files = _files(root)
    if not files:
        raise UserError(f"{source}: {root} holds no Python source of the standard library")

    def content() -> Iterator[bytes]:
        yield f"rules {RULES_VERSION}, Python {platform.python_version()}\0".encode()
        yield from named_file_chunks((path.relative_to(root).as_posix(), path) for path in files)

    return Table(
        name=source,
        kind="builtin",
        columns=("text", "label"),
        rows=lambda _: _rows(root, files, source),
        content=content,
        advice="of builtin:docstrings they are always text and label",
    )


def _rows(root: Path, files: list[Path], source: str) -> Generator[Row, None, None]:
    seen: set[str] = set()
    for path in files:
        area = _AREA_OF[_top_level_module(path, root)]
        for line, text in _docstrings(path):
            if len(text) >= MIN_CHARACTERS and text not in seen:
                seen.add(text)
                yield Row(len(seen), {"text": text, "label": area}, f"{source}, {path}:{line}")


def _docstrings(path: Path) -> list[tuple[int, str]]:
    """Line and text of the docstrings of a module, its classes and its functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the library's own strings
        pending: list[ast.AST] = [ast.parse(path.read_bytes())]
    found = []
    while pending:
        node = pending.pop()
        # Docstrings only stand below statements: not visiting expressions is much faster.
        for block in ("body", "orelse", "handlers", "finalbody", "cases"):
            pending.extend(getattr(node, block, ()))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node, clean=False)
            if text:
                found.append((node.body[0].lineno, " ".join(text.split())))
    return sorted(found)


def _files(root: Path) -> list[Path]:
    """Python files of the modules that have an area, in the order of their paths."""
    files = [root / f"{module}.py" for module in _AREA_OF]
    files += [file for module in _AREA_OF for file in (root / module).rglob("*.py")]
    return sorted(
        (
            path
            for path in files
            if path.is_file() and _LEFT_OUT_FOLDERS.isdisjoint(path.relative_to(root).parts)
        ),
        key=lambda path: path.relative_to(root).as_posix(),
    )


def _top_level_module(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0].removesuffix(".py")
