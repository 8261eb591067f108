"""Dates in text that is no DICOM: put back, kept, or gone, as the profile says of Study Date."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastanon

HEADER = """!INTERFILE:=
!originating system:=2008
%study date (yyyy:mm:dd):=2017:03:27
%study time (hh:mm:ss GMT+00:00):=17:00:35
!END OF INTERFILE:=
"""
PROFILES = {
    "shifted": 'extends = "petmr"\n',
    "gone": 'extends = "petmr"\nwithout = ["retain-modified-dates"]\n',
    "kept": 'extends = "petmr"\nwithout = ["retain-modified-dates"]\noptions = ["retain-full-dates"]\n',
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_study_date_of_interfile_follows_the_profile(name: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(PROFILES[name])
    (tmp_path / "a.l.hdr").write_text(HEADER)
    report = fastanon.anonymize(tmp_path / "a.l.hdr", to=tmp_path / "out", profile=tmp_path / "own.toml")
    assert report.exit_status == 0
    lines = (tmp_path / "out" / "a.l.hdr").read_text().splitlines()
    date = next(line for line in lines if line.startswith("%study date")).partition(":=")[2]
    assert "%study time (hh:mm:ss GMT+00:00):=17:00:35" in lines
    if name == "kept":
        assert date == "2017:03:27"
    elif name == "gone":
        assert not any(c.isdigit() for c in date)
    else:
        assert date != "2017:03:27"
        assert [len(part) for part in date.split(":")] == [4, 2, 2]
