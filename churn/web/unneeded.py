"""What BentoML 1.4.39 imports in every worker, and this service never uses: a third of a second, and 20 MB.

Its dispatcher, which imports numpy, is for calls that are answered in batches; its proxy, which imports
pyparsing, for services that are a command.
"""

import sys
from types import ModuleType
from typing import NoReturn

# What each is imported for.
UNNEEDED = {
    "bentoml._internal.marshal.dispatcher": "CorkDispatcher",
    "_bentoml_impl.server.proxy": "create_proxy_app",
}


def leave_out() -> None:
    """Put in their places what refuses to be used; what is imported already stays."""
    for module, name in UNNEEDED.items():
        if module not in sys.modules:
            sys.modules[module] = ModuleType(module)
            setattr(sys.modules[module], name, _refuse)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise NotImplementedError("churn.web.unneeded left this out of BentoML, since this service does without")
