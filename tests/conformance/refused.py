"""Files that fastanon refuses, and the words it does so with: no refusal is silent, and no broken file gets in."""

from __future__ import annotations

_TRUNCATED = "truncated, or a length that runs past the end"
_NOT_DICOM = "not DICOM"
_CONTRADICTED = "the transfer syntax names another encoding than the dataset has"
_NO_SYNTAX = "no transfer syntax, and a dataset that does not show one"
_NO_DELIMITER = "an undefined length without a delimiter, or where none may be"

REFUSED = {
    "blairconrad__dicognito/bad.dcm": "no dataset behind the file meta information",
    "test_files/MR_truncated.dcm": _TRUNCATED,
    "test_files/dicomdirtests/DICOMDIR-nooffset": _TRUNCATED,
    "test_files/rtplan_truncated.dcm": _TRUNCATED,
    "Enet4__dicom-test-files/MR_truncated.dcm": _TRUNCATED,
    "Enet4__dicom-test-files/rtplan_truncated.dcm": _TRUNCATED,
    "test_files/README.txt": _NOT_DICOM,
    "test_files/crayons.icc": _NOT_DICOM,
    "test_files/dicomdirtests/README.txt": _NOT_DICOM,
    "test_files/dicomdirtests/TINY_ALPHA/README": _NOT_DICOM,
    "test_files/no_meta.dcm": _NOT_DICOM,
    "test_files/rtplan.dump": _NOT_DICOM,
    "test_files/rtstruct.dump": _NOT_DICOM,
    "test_files/test1.json": _NOT_DICOM,
    "test_files/test_PN.json": _NOT_DICOM,
    "test_files/zipMR.gz": _NOT_DICOM,
    "charset_files/FileInfo.txt": _NOT_DICOM,
    "Enet4__dicom-test-files/no_meta.dcm": _NOT_DICOM,
    "manifest.tsv": _NOT_DICOM,
    "nipy__nibabel/ascconv_sample.txt": _NOT_DICOM,
    "nipy__nibabel/csa2_b0.bin": _NOT_DICOM,
    "nipy__nibabel/csa2_b1000.bin": _NOT_DICOM,
    "nipy__nibabel/csa2_zero_len.bin": _NOT_DICOM,
    "nipy__nibabel/csa_str_1001n_items.bin": _NOT_DICOM,
    "nipy__nibabel/csa_str_valid.bin": _NOT_DICOM,
    "nipy__nibabel/tinypet.v": _NOT_DICOM,
    "open-dicom__csa_header/ascconv_sample.txt": _NOT_DICOM,
    "open-dicom__csa_header/dwi_image_header_info": _NOT_DICOM,
    "open-dicom__csa_header/e11_series_header_info": _NOT_DICOM,
    "open-dicom__csa_header/rsfmri_series_header_info": _NOT_DICOM,
    "phi_census.json": _NOT_DICOM,
    "test_files/SC_rgb_jpeg.dcm": _CONTRADICTED,
    "pydicom__pydicom/SC_rgb_jpeg.dcm": _CONTRADICTED,
    "test_files/meta_missing_tsyntax.dcm": _NO_SYNTAX,
    "Enet4__dicom-test-files/meta_missing_tsyntax.dcm": _NO_SYNTAX,
    "Enet4__dicom-test-files/emri_small_jpeg_2k_lossless_too_short.dcm": _NO_DELIMITER,
}

#: Raw data that is read, and has no elements to compare.
NO_DICOM = frozenset(
    (
        "UCL__STIR/mMR_listmode.l.hdr",
        "UCL__STIR/template_span11.hs",
        "openmrslab__suspect/SVS_30.rda",
        "pehses__twixtools/epi.dat",
    )
)
