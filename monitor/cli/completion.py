"""`modeltop completion SHELL`: the script by which a shell completes commands, options, topics and paths."""

from __future__ import annotations

import argparse
import shlex

from modeltop.cli.context import COMMANDS, Context, load_command
from modeltop.cli.help import topics

SHELLS = ("bash", "zsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `completion` to its parser."""
    parser.add_argument("shell", choices=SHELLS)
    parser.epilog = (
        'bash: eval "$(modeltop completion bash)"\n'
        'zsh:  eval "$(modeltop completion zsh)", after compinit\n'
        "fish: modeltop completion fish | source"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the script of one shell, derived from the parsers of the commands."""
    options = {name: _options(name) for name in COMMANDS}
    write = {"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell]
    context.out_line(write(options, COMMANDS, " ".join([*topics(), *COMMANDS])))
    return 0


def _options(name: str) -> dict[str, str]:
    parser = argparse.ArgumentParser(add_help=False)
    load_command(name)[0](parser)
    actions = [action for action in parser._actions if action.help is not argparse.SUPPRESS]  # noqa: SLF001  argparse offers no other way to list them
    return {
        option: action.help or "" for action in actions for option in action.option_strings if option.startswith("--")
    }


def _bash(options: dict[str, dict[str, str]], commands: dict[str, str], help_words: str) -> str:
    cases = "\n".join(f"    {name}) words={shlex.quote(' '.join(texts))} ;;" for name, texts in options.items())
    return f"""_modeltop() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words=
  if [[ $COMP_CWORD -eq 1 && $current != -* ]]; then
    words={shlex.quote(" ".join(commands))}
  elif [[ $COMP_CWORD -eq 2 && ${{COMP_WORDS[1]}} == help ]]; then
    COMPREPLY=($(compgen -W {shlex.quote(help_words)} -- "$current")); return
  else case ${{COMP_WORDS[1]}} in
{cases}
    *) words={shlex.quote(" ".join(options["open"]))} ;;
  esac; fi
  if [[ $current == -* || $COMP_CWORD -eq 1 ]]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}}
complete -o default -F _modeltop modeltop"""


def _zsh(options: dict[str, dict[str, str]], commands: dict[str, str], help_words: str) -> str:
    described = " ".join(shlex.quote(f"{name}:{text}") for name, text in commands.items())
    cases = "\n".join(
        f"    {name}) _arguments {' '.join(map(_zsh_option, texts.items()))} '*:path:_files' ;;"
        for name, texts in options.items()
    )
    return f"""#compdef modeltop
_modeltop() {{
  local -a commands; commands=({described})
  if (( CURRENT == 2 )); then _describe command commands; _files; return; fi
  if [[ $words[2] == help ]]; then compadd {help_words}; return; fi
  case $words[2] in
{cases}
    *) _files ;;
  esac
}}
compdef _modeltop modeltop"""


def _zsh_option(option: tuple[str, str]) -> str:
    name, text = option
    plain = "".join(char for char in text if char not in "[]:\\'\"`$")
    return shlex.quote(f"{name}[{plain}]")


def _fish(options: dict[str, dict[str, str]], commands: dict[str, str], help_words: str) -> str:
    lines = [
        f"complete -c modeltop -n __fish_use_subcommand -a {name} -d {shlex.quote(text)}"
        for name, text in commands.items()
    ]
    lines += [
        f"complete -c modeltop -n '__fish_seen_subcommand_from {name}' -l {option[2:]} -d {shlex.quote(text)}"
        for name, texts in options.items()
        for option, text in texts.items()
    ]
    lines.append(f"complete -c modeltop -n '__fish_seen_subcommand_from help' -f -a {shlex.quote(help_words)}")
    return "\n".join(lines)
