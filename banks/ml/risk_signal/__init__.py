"""What banks add up about counterparties they share, and how each uses the opened sums.

``terms`` says what the members agreed; ``tokens`` hides names; ``presence`` finds the
counterparties that enough banks deal with; ``sums`` lays a bank's counts out as a vector and reads
the opened one;
``noise`` makes single payments deniable; ``others`` puts the result beside the bank's own view.
"""

from banks.ml.risk_signal.others import others_of, watch_list_of
from banks.ml.risk_signal.sums import OpenedSums, Told
from banks.ml.risk_signal.terms import Terms
from banks.ml.risk_signal.windows import Span

__all__ = ["OpenedSums", "Span", "Terms", "Told", "others_of", "watch_list_of"]
