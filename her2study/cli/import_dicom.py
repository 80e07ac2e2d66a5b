"""``her2study import-dicom``: from a scanner's export to the folder of a study."""

from __future__ import annotations

import argparse

from her2study.cli.arguments import count
from her2study.cli.done import FINDINGS, FINE, Done
from her2study.cli.parsers import FILE, FOLDER, GOES_ON, Commands, command, path
from her2study.parallel import worker_count
from her2study.pipeline.console import say
from her2study.pipeline.import_dicom import Request, import_dicom

MANUAL = """\
examples:
  her2study import-dicom /archive/export scans
  her2study import-dicom /archive/export scans --choices my_choices.csv

what is written:
  DEST/images/P0001/P0001_0000.nii.gz        before contrast; _0001, _0002 ... after it
  DEST/segmentations/expert/P0001.nii.gz     the lesion mask, on the grid of the scan
  DEST/patients.csv                          phase times and protocol, to join to your clinical table
  DEST/import_report.md                      start here: what was chosen and why, what was left behind
  DEST/import_report.csv, import_mapping.csv, import_series.csv, import_choices.csv
  DEST-key.csv                               pseudonym and PatientID: outside DEST, readable by you only

what is found by itself:
  the dynamic series of every patient, classic or enhanced, in one series or several; its phases
  by temporal position, trigger time, acquisition time, acquisition number or series; their times;
  masks that refer to it. Where more than one answer is possible, the choice and the reason stand
  in import_report.md, and import_choices.csv lists what you may decide otherwise:

    patient_id,setting,value
    P0007,series,4                 another series, or several that hold a phase each: 4 5 6 7
    P0009,drop_phases,3            leave a phase out
    P0011,seconds,0 90 180 270     times that the header lacks
    P0012,segments,2               one segment of a mask, instead of the union

  or the same as YAML:  P0007: {series: 4}

then, to use DEST in a study: save your clinical table as DEST/clinical.csv with the pseudonyms in
its column patient_id, write "table: clinical.csv" and "joins: [patients.csv]" under "source:" in
study.yml, and run  her2study reproduce --study NAME --data DEST

Stopped or killed, the same command goes on where it was. Patients added to SOURCE later are
imported alone and get the next pseudonyms, as long as the key is there."""


def add(commands: Commands) -> None:
    """Declare the command."""
    line = "write a DICOM export in the layout that a study reads, without names, dates or identifiers"
    refused = "some patients could not be imported (the others are); import_report.md says why"
    parser = command(commands, "import-dicom", line, MANUAL, findings=refused, stopped=GOES_ON)
    parser.set_defaults(call=_import_dicom)
    add = parser.add_argument
    add(
        "source",
        type=path,
        metavar="SOURCE",
        help="folder with DICOM files: any nesting, any names, any number of patients",
    )
    add("dest", type=path, metavar="DEST", help="folder to write; a new one, or one that this command wrote")
    add("--key", type=path, metavar=FILE, help="the key from pseudonyms to people (DEST-key.csv, beside DEST)")
    add("--masks", type=path, metavar=FOLDER, help="NIfTI masks named <PatientID>.nii.gz; DICOM segmentations and RT "
        "structures are found under SOURCE")  # fmt: skip
    add("--choices", type=path, metavar=FILE, help="decisions of yours, .csv or .yml (see below)")
    add("--workers", type=count, default=None, metavar="N", help="processes; no result depends on it (2)")


def _import_dicom(options: argparse.Namespace) -> Done:
    places = (options.source, options.dest, options.key, options.masks, options.choices)
    done = import_dicom(Request(*places, options.workers or worker_count()))
    if done.refused:
        patients = "patient" if done.refused == 1 else "patients"
        say(f"{done.refused} {patients} could not be imported; import_report.md says why")
    return Done(FINDINGS if done.refused else FINE, {"folder": str(options.dest), "refused": done.refused})
