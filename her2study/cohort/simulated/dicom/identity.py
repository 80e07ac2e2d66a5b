"""Invented people whose names, dates and numbers a scanner writes everywhere; none of it may leave the header."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

PEOPLE = (
    # family, given, the name in its own script, SpecificCharacterSet
    ("Müller-Ångström", "Renée", "", "ISO_IR 100"),
    ("Zhangwei", "Xiaodong", "张伟^晓东", "GB18030"),
    ("Núñez", "Inmaculada", "", "ISO_IR 100"),
    ("Wangfang", "Lihua", "王芳^丽华", "ISO_IR 192"),
    ("Øster-Škvorecká", "Žofie", "", "ISO_IR 192"),
)


@dataclass(frozen=True)
class PlantedIdentity:
    """One invented patient, her visit and the people and machines around her."""

    family_name: str
    given_name: str
    own_script: str
    character_set: str
    patient_id: str
    other_patient_id: str
    birth_date: date
    study_started: datetime
    accession_number: str
    device_serial_number: str
    institution: str = "Klinikum Sankt Hildegardis"
    institution_address: str = "Rosengasse 47, 97980 Mergentheim"
    department: str = "Senologie Haus Walburga"
    station: str = "MRWALBURGA7"
    referring_physician: str = "Oberhuber^Anneliese"
    operator: str = "Tschernichow^Pjotr"
    phone: str = "+49 7931 5550142"

    @property
    def person_name(self) -> str:
        """As PatientName holds it: alphabetic, then the own script."""
        alphabetic = f"{self.family_name}^{self.given_name}"
        return f"{alphabetic}={self.own_script}" if self.own_script else alphabetic

    @property
    def comment(self) -> str:
        """What somebody typed at the console."""
        return f"{self.given_name} {self.family_name}, Tel. {self.phone}"

    @property
    def folder(self) -> str:
        """How exports name her folder."""
        return f"{self.family_name}_{self.given_name}_{self.patient_id}"

    def secrets(self) -> tuple[str, ...]:
        """Every text that no output may hold, the dates and times in their usual spellings."""
        days = {self.birth_date, self.study_started.date(), (self.study_started + timedelta(days=1)).date()}
        dates = [day.strftime(form) for day in days for form in ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y")]
        times = [self.study_started.strftime(form) for form in ("%H%M%S.%f", "%H:%M:%S")]
        people = [part for name in (self.referring_physician, self.operator) for part in name.split("^")]
        places = [self.institution, self.institution_address, self.department, self.station, "Hildegardis", "Walburga"]
        numbers = [self.patient_id, self.other_patient_id, self.accession_number, self.device_serial_number, self.phone]
        names = [self.family_name, self.given_name, *(self.own_script.split("^") if self.own_script else [])]
        return tuple(sorted({*names, *numbers, *dates, *times, *people, *places}))


def planted_identity(patient: str) -> PlantedIdentity:
    """An invented identity for a simulated patient, always the same one."""
    draw = int.from_bytes(hashlib.sha256(patient.encode()).digest()[:8], "big")
    family, given, own_script, character_set = PEOPLE[draw % len(PEOPLE)]
    return PlantedIdentity(
        family_name=family,
        given_name=given,
        own_script=own_script,
        character_set=character_set,
        patient_id=f"MRN{draw % 89_999_999 + 10_000_000}",
        other_patient_id=f"KV{draw % 7_777_777 + 1_000_000}X",
        birth_date=date(1938, 3, 7) + timedelta(days=draw % 15_000),
        study_started=datetime(2017, 1, 4, 8, 11, 23, 407000) + timedelta(days=draw % 1500, seconds=draw % 30_011),
        accession_number=f"ACC{draw % 888_888 + 111_111}QX",
        device_serial_number=str(draw % 79_999 + 220_000),
    )
