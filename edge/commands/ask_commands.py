"""`cartwheel ask` and `cartwheel ask-file`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

Login = Annotated[str | None, typer.Option("--as", help="sign in as this account first")]
Password = Annotated[str, typer.Option(envvar="CARTWHEEL_PASSWORD", help="its password")]
Pick = Annotated[str | None, typer.Option(help="print only this part: orderPlace.order.id")]
Url = Annotated[str | None, typer.Option(help="the shop, when it is not that of the settings")]


def add_ask_commands(app: typer.Typer, read_address: Callable[[], str], console: Console) -> None:
    """Add both commands to the application; `read_address` returns the address of the shop."""

    def print_answer(send: Callable[[], dict[str, object]], pick: str | None) -> None:
        from edge.commands.ask import AskFailed, pick_value

        try:
            response = send()
            printed = pick_value(response, pick) if pick else response
        except AskFailed as error:
            console.print(str(error), highlight=False, markup=False, soft_wrap=True)
            raise typer.Exit(1) from None
        typer.echo(printed if isinstance(printed, str) else json.dumps(printed, ensure_ascii=False, indent=2))
        if "errors" in response:
            raise typer.Exit(1)

    @app.command()
    def ask(
        document: Annotated[str, typer.Argument(help="a GraphQL document")],
        login: Login = None,
        password: Password = "",
        header: Annotated[list[str] | None, typer.Option(help="a header: 'X-Cart-Token: ...'")] = None,
        language: Annotated[str | None, typer.Option(help="language of the texts: en, zh-CN")] = None,
        pick: Pick = None,
        url: Url = None,
    ) -> None:
        """Send a document to a running shop, as an app would, and print the response."""
        from edge.commands.ask import ask_shop, read_headers

        def send() -> dict[str, object]:
            headers = read_headers(header or ()) | ({"Accept-Language": language} if language else {})
            address = url or read_address()
            return ask_shop(address, document, variables={}, login=login, password=password, headers=headers)

        print_answer(send, pick)

    @app.command()
    def ask_file(
        file: Annotated[Path, typer.Argument(help="a file with operations, such as one of clients/")],
        operation: Annotated[str, typer.Argument(help="which of its operations")] = "",
        variables: Annotated[str, typer.Option(help='as JSON: {"first": 3}')] = "{}",
        login: Login = None,
        password: Password = "",
        pick: Pick = None,
        url: Url = None,
    ) -> None:
        """Send an operation of a file, with the fragments that it uses, and print the response."""
        from edge.commands.ask import ask_shop, read_operation, read_variables

        def send() -> dict[str, object]:
            document, values = read_operation(file, operation or None), read_variables(variables)
            address = url or read_address()
            return ask_shop(address, document, variables=values, login=login, password=password, headers={})

        print_answer(send, pick)
