"""Which header attributes can identify a person, so that the report can list what was left behind.

Nothing is copied from a header except geometry, voxel values, time differences and a few protocol numbers, so
this list removes nothing: it counts. It is wider than the basic confidentiality profile of DICOM PS3.15,
annex E: every name, date, time, identifier and free text, whatever it holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

PRIVATE = "private attributes"

IDENTIFYING_VRS = frozenset("PN DA TM DT UI AS AE LO SH ST LT UT UC UR".split())

TECHNICAL = frozenset(
    "SOPClassUID TransferSyntaxUID MediaStorageSOPClassUID ImplementationClassUID SpecificCharacterSet Manufacturer "
    "ManufacturerModelName SoftwareVersions AngioFlag SequenceName ReceiveCoilName TransmitCoilName ImagedNucleus "
    "MagneticFieldStrength PositionReferenceIndicator ResonantNucleus PulseSequenceName CodingSchemeUID "
    "LossyImageCompressionMethod RescaleType WindowCenterWidthExplanation VolumetricProperties ContrastBolusAgent "
    "ContrastBolusRoute PresentationLUTShape KSpaceFiltering ReceiveCoilManufacturerName TransmitCoilManufacturerName "
    "PatientPosition MIMETypeOfEncapsulatedDocument FilterType ConvolutionKernel "
    "DimensionOrganizationUID TimezoneOffsetFromUTC".split()
)
"""Text that describes the machine or the format."""

PERSONAL_SEQUENCES = ("Patient", "Physician", "Operator", "Institution", "Request", "Procedure", "Person", "Referenced")


def count_identifying(tags: Iterable[int], counts: Counter[str]) -> None:
    """Add one to ``counts`` for every identifying attribute among the ``tags`` of a file (those with a value)."""
    named = {identifying_name(int(tag)) for tag in tags}
    counts.update(name for name in named if name)


@lru_cache(maxsize=8192)
def identifying_name(tag: int) -> str:
    """Keyword of the attribute if it can identify, else an empty text."""
    from pydicom.datadict import dictionary_keyword, dictionary_VR

    if (tag >> 16) % 2:
        return PRIVATE
    try:
        keyword, vr = dictionary_keyword(tag), dictionary_VR(tag)
    except KeyError:
        return ""
    if keyword in TECHNICAL or not keyword:
        return ""
    if vr == "SQ":
        return keyword if any(word in keyword for word in PERSONAL_SEQUENCES) else ""
    return keyword if set(vr.split(" or ")) & IDENTIFYING_VRS or keyword.startswith("Patient") else ""
