"""The `models` commands."""

from typing import Annotated

from cyclopts import App, Parameter

from .connection import Connection
from .nouns import DELETIONS, MODELS
from .printing import Printing

app: App = App(name="models", help="Models that the server offers, fine-tuned ones among them.", version_flags=())


@app.command(name="list", sort_key=0)
async def list_models(*, printing: Printing = Printing(), connection: Connection = Connection()) -> None:
    """List all models."""
    async with connection.client() as client:
        await printing.all(client.list_models(), MODELS)


@app.command(sort_key=1)
async def get(model: str, /, *, printing: Printing = Printing(), connection: Connection = Connection()) -> None:
    """Show a model with all its fields."""
    async with connection.client() as client:
        printing.one(await client.retrieve_model(model), MODELS)


@app.command(sort_key=2)
async def delete(
    *model: Annotated[str, Parameter(required=True)],
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Delete fine-tuned models, for good."""
    rows = printing.rows(DELETIONS)
    async with connection.client() as client:
        for each in model:
            rows.write([await client.delete_model(each)])
