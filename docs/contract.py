"""Writes the page of the contract from the contract's comments, for Sphinx: `make docs`."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from sphinx.application import Sphinx

DOCS = Path(__file__).parent

Comments = dict[tuple[int, ...], str]
"""A comment by the path of its part, in numbers of descriptor.proto: (4, 2, 2, 0) is the first
field (2) of the third message (4)."""


def setup(app: Sphinx) -> None:
    """Writes the page before Sphinx reads the pages."""
    app.connect("builder-inited", lambda _: (DOCS / "contract.md").write_text(contract_page()))


def contract_page() -> str:
    """The page, in Markdown."""
    buf = Path(sys.executable).with_name("buf")
    command = [buf, "build", "--output", "-"]
    built = subprocess.run(command, cwd=DOCS.parent / "proto", check=True, capture_output=True)
    return "\n".join(_lines(FileDescriptorSet.FromString(built.stdout).file[-1]))


def _lines(file: FileDescriptorProto) -> Iterator[str]:
    comments = {
        tuple(each.path): _text(each.leading_comments) for each in file.source_code_info.location
    }
    yield f"# The contract\n\n*The comments of `proto/{file.name}`.*\n"
    yield comments[12,]
    for at, service in enumerate(file.service):
        yield f"## {service.name}\n\n{comments[6, at]}"
        for row, method in enumerate(service.method):
            yield f"### {method.name}\n\n{_signature(method)}\n\n{comments[6, at, 2, row]}"
    yield "## Messages\n"
    for at, message in enumerate(file.message_type):
        yield f"### {message.name}\n\n{comments[4, at]}"
        if message.field:
            yield "| field | type | |\n| --- | --- | --- |"
        for row, field in enumerate(message.field):
            yield f"| `{field.name}` | {_type(field, message)} | {_cell(comments[4, at, 2, row])} |"
        yield ""
    for at, enum in enumerate(file.enum_type):
        yield f"### {enum.name}\n\n{comments[5, at]}\n| value | |\n| --- | --- |"
        for row, value in enumerate(enum.value):
            yield f"| `{value.name}` | {_cell(comments[5, at, 2, row])} |"
        yield ""


def _text(comment: str) -> str:
    """A comment without the blank after each `//`."""
    return "".join(line.removeprefix(" ") + "\n" for line in comment.splitlines())


def _cell(comment: str) -> str:
    return " ".join(comment.split()).replace("|", "\\|")


def _signature(method: MethodDescriptorProto) -> str:
    stream = "stream of " if method.server_streaming else ""
    return f"{_link(method.input_type)} → {stream}{_link(method.output_type)}"


def _type(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    entries = {each.name: each for each in message.nested_type}  # of maps
    name = field.type_name.rpartition(".")[2]
    if name in entries:
        key, value = (_type(each, entries[name]) for each in entries[name].field)
        return f"map of {key} to {value}"
    if field.type_name:
        text = _link(field.type_name)
    else:
        text = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    return f"repeated {text}" if field.label == field.LABEL_REPEATED else text


def _link(type_name: str) -> str:
    name = type_name.rpartition(".")[2]
    return f"[{name}](#{name.lower()})"
