"""How help looks: headings and columns, without boxes around them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.help import HelpPanel
    from rich.console import Console, ConsoleOptions
    from rich.text import Text


class QuietPages:
    """Draws each panel of a help page; what draws is imported when there is a page to draw."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        from cyclopts.help.formatters.default import DefaultFormatter  # noqa: PLC0415  # see above
        from cyclopts.help.specs import PanelSpec  # noqa: PLC0415  # see above
        from rich.box import Box  # noqa: PLC0415  # see above
        from rich.text import Text as Styled  # noqa: PLC0415  # see above

        blank = Box("\n".join(["    "] * 8) + "\n")
        title = Styled(str(panel.title), style="bold")
        DefaultFormatter(panel_spec=PanelSpec(title=title, box=blank, padding=(0, 3)))(
            console, options, panel
        )

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: "Text | str | None") -> None:
        from cyclopts.help.formatters.default import DefaultFormatter  # noqa: PLC0415  # see above

        DefaultFormatter().render_usage(console, options, usage)
