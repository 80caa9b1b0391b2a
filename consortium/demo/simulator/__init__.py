"""Five invented banks and their transactions: reproducible, and never to be taken for real ones.

Every identifier starts with ``demo-``. Shops and payees are shared between the banks, customers
are not. Each customer has habits; fraud comes in five kinds (``crimes``), of which some banks
have hardly seen some before the last weeks: what one bank has learned late, another knew early.

    simulated = simulate("normal", seed=2026, until=midnight)
    simulated["hinata"].history.write_csv(path)     # with labels as they are known at ``until``
    simulated["hinata"].today.write_csv(path)       # the last day, without labels

Pure numpy: the same seed, scale and end give the same bytes.
"""

from consortium.demo.simulator.banks import BANKS, SCALES, DemoBank, Scale
from consortium.demo.simulator.simulate import BankData, simulate
from consortium.demo.simulator.table import MAPPING, Table

__all__ = ["BANKS", "MAPPING", "SCALES", "BankData", "DemoBank", "Scale", "Table", "simulate"]
