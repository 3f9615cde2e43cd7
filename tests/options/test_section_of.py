from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section, marks_of
from tf_finetune.options.section_of import SectionOf


class Shape(Section):
    name: str = ""


class Circle(Shape):
    name: Literal["circle"] = "circle"
    radius: float = Field(default=1.0, gt=0, description="in metres")


class Box(Shape):
    name: Literal["box"] = "box"
    width: int = Field(default=2, description="in metres")
    radius: float = Field(default=0.5, gt=0, description="in metres")


SHAPES = {"circle": Circle, "box": Box}
OF_SHAPES = SectionOf(SHAPES, "circle", "the shape", lambda shape: f"is a {shape.name}")


class Drawing(Section):
    shape: Annotated[Shape, OF_SHAPES, Mark.STEP] = Circle()


def mistakes(value):
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate({"shape": value})
    return {error["loc"]: error for error in caught.value.errors()}


def test_a_name_asks_for_its_class_and_none_for_the_usual_one():
    assert Drawing.model_validate({"shape": {"name": "box", "width": "3"}}).shape == Box(width=3)
    assert Drawing.model_validate({"shape": {"radius": 2}}).shape == Circle(radius=2)
    assert Drawing.model_validate({"shape": "box"}).shape == Box()


def test_a_dump_gives_every_option_and_is_read_back():
    drawing = Drawing(shape=Box(width=3))

    assert drawing.model_dump() == {"shape": {"name": "box", "width": 3, "radius": 0.5}}
    assert Drawing.model_validate(drawing.model_dump()) == drawing
    assert Drawing.model_validate_json(drawing.model_dump_json()) == drawing


def test_mistakes_stand_where_the_option_does():
    assert list(mistakes({"name": "bow"})) == [("shape", "name")]
    assert list(mistakes({"name": "box", "width": "wide", "radius": 0})) == [
        ("shape", "width"),
        ("shape", "radius"),
    ]
    assert list(mistakes(3)) == [("shape",)]


def test_an_option_of_another_class_is_refused_and_told_whose_it_is():
    foreign = mistakes({"name": "circle", "width": 3})[("shape", "width")]
    unknown = mistakes({"name": "box", "depth": 3})[("shape", "depth")]

    assert str(foreign["ctx"]["error"]) == (
        "accepted: radius with name=circle, and this one with name=box"
    )
    assert str(unknown["ctx"]["error"]) == "accepted: width, radius with name=box"


def test_the_schema_lists_the_options_of_all_classes_and_says_whose_they_are():
    schema = TypeAdapter(Annotated[Shape, OF_SHAPES]).json_schema()["properties"]

    assert schema["name"]["enum"] == ["circle", "box"]
    assert schema["name"]["description"] == "the shape: circle is a circle, box is a box"
    assert schema["radius"]["description"] == (
        "of circle: in metres; of box: in metres (default 0.5)"
    )
    assert schema["width"]["default"] == 2


def test_the_section_is_one_option_and_its_values_are_listed_one_by_one():
    assert marks_of(Drawing) == {"shape": {Mark.STEP}}
    assert Drawing(shape=Box()).marked(Mark.STEP) == {
        "shape.name": "box",
        "shape.width": 2,
        "shape.radius": 0.5,
    }
