"""标杆审读: reads a quality-benchmark write-up, finds its sections and judges it by the year's own rulebook.

The way of the data::

    bytes -> parse -> Document -> segment -> Submission -> checks (bound by a rulebook) -> Outcomes -> Report -> render

Reading and segmenting never see a limit; checks never see a file.
"""

__version__ = "0.1.0"
