"""choose.py: programs by name."""
import heldout
import programs


def chosen(names, default=programs.ALL):
    """The programs of `a,b`; `heldout` stands for those that convert was not developed on; nothing for the default ones."""
    known = {p.name: p for p in programs.ALL + heldout.ALL}
    picked = []
    for name in filter(None, names.split(",")):
        if name != "heldout" and name not in known:
            raise SystemExit(f"no program {name}: there are {', '.join(known)}, and heldout for {', '.join(p.name for p in heldout.ALL)}")
        picked += heldout.ALL if name == "heldout" else [known[name]]
    return picked or list(default)
