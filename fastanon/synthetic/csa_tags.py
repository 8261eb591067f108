"""The tags of the synthetic CSA headers, as `fastanon.synthetic.csa.parse_tags` reads them.

Names, order, multiplicities and VRs are those of syngo MR E11 headers in nibabel's and csa_header's test
data. NIPET (mmraux.py, mmrimg.py) looks for the tags before MrProtocol, and for a text that names the
radionuclide; their VRs and places are guesses.
"""

#: Of a series.
SERIES = r"""
UsedPatientWeight 1 IS 72
NumberOfPrescans 1 IS 4
TransmitterCalibration 1 DS 287.104
PhaseGradientAmplitude 1 DS 3.915
ReadoutGradientAmplitude 1 DS 5.625
SelectionGradientAmplitude 1 DS 24
GradientDelayTime 3 DS 36\35\31
RfWatchdogMask 1 IS 0
RfPowerErrorIndicator 1 DS
SarWholeBody 3 DS
Sed 3 DS 1000000\7.73043549\7.73043526
SequenceFileOwner 1 SH SIEMENS
Stim_mon_mode 1 IS 2
Operation_mode_flag 1 IS 0
dBdt_max 1 DS 0
t_puls_max 1 DS 0
dBdt_thresh 1 DS 0
dBdt_limit 1 DS 0
SW_korr_faktor 1 DS 1
Stim_max_online 3 DS 2.41\6.98\8.05
Stim_max_ges_norm_online 1 DS 0.48
Stim_lim 3 DS 45.73709869\27.64929962\31.94459915
Stim_faktor 1 DS 1
CoilForGradient 1 SH void
CoilForGradient2 1 SH AS39S
CoilTuningReflection 2 DS
CoilId 0 IS 255\0\4877\0\0\4875\4876\4865\4866\0\0
MiscSequenceParam 38 IS 0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0
MrProtocolVersion 1 IS 51130001
DataFileName 1 LO
RepresentativeImage 1 UI
PositivePCSDirections 1 SH +LPH
RelTablePosition 3 IS 0\0\0
ReadoutOS 1 FD 2
LongModelName 1 LO NUMARIS/4
SliceArrayConcatenations 1 IS 1
SliceResolution 1 DS 1
AbsTablePosition 1 IS -1252
AutoAlignMatrix 16 FL
MeasurementIndex 1 FL
CoilString 1 LO HE1-4;NE1,2
PATModeText 1 LO p2
PatReinPattern 1 ST 1;HFS;72.00;12.00;2;0;0;-525826914
ProtocolChangeHistory 1 US 0
Isocentered 1 US 0
MrPhoenixProtocol 1 UN
GradientMode 1 SH Fast
FlowCompensation 1 SH No
PostProcProtocol 1 UT
RFSWDOperationMode 1 SS 0
RFSWDMostCriticalAspect 1 SH Head
SARMostCriticalAspect 3 DS 3.2\0.41364219\0.38
GantryOffset_Rotation 3 DS 0\0\0
GantryOffset 3 DS -0.1309\-1.5043\3.395
TablePositionOrigin 3 SL 0\0\-1252
GantryTableHomeOffset 3 DS -0.5\-0.75\2.25
RadiopharmaceuticalInfo 1 UT RadionuclideCodeSequence: CodeValue:C-111A1 CodeMeaning:^18^Fluorine
MrProtocol 1 UN
MrEvaProtocol 1 UN
VFModelInfo 1 UN
VFSettings 1 UN
AutoAlignData 1 UT
FmriModelParameters 1 UT
FmriModelInfo 1 UT
FmriExternalParameters 1 UT
FmriExternalInfo 1 UT
B1rms 2 DS 100\1.39351945
B1rmsSupervision 1 CS NO
TalesReferencePower 1 DS 832.60257
PhaseSliceOversampling 1 CS NONE
SafetyStandard 1 CS IEC
DICOMImageFlavor 1 CS
DICOMAcquisitionContrast 1 CS
EchoTrainLength 1 IS 0
RFEchoTrainLength 1 US 10
ConfigFileInfo 1 UT
UserDefinedSeries 1 UT
"""

#: Of an image, with its number to be filled in.
IMAGE = r"""
EchoLinePosition 1 IS 128
EchoColumnPosition 1 IS 128
EchoPartitionPosition 1 IS 88
UsedChannelMask 1 UL 63
UsedChannelString 1 UT XXXXXX
Actual3DImaPartNumber 1 IS {number}
ICE_Dims 1 LO X_1_1_1_1_1_1_1_1_1_1_1_112
B_value 1 IS
Filter1 1 IS 0
Filter2 1 IS 0
ProtocolSliceNumber 1 IS {number}
RealDwellTime 1 IS 5600
PixelFile 1 UN
PixelFileName 1 UN
SliceMeasurementDuration 1 DS 383600
SequenceMask 1 UL 134217728
AcquisitionMatrixText 1 SH 256p*256
MeasuredFourierLines 1 IS 0
FlowEncodingDirection 1 IS
FlowVenc 1 FD
PhaseEncodingDirectionPositive 1 IS 1
NumberOfImagesInMosaic 1 US
DiffusionGradientDirection 3 FD
ImageGroup 1 US
SliceNormalVector 3 FD 0\0\1
DiffusionDirectionality 1 CS
TimeAfterStart 1 DS 0
FlipAngle 1 DS
SequenceName 1 SH
RepetitionTime 1 DS
EchoTime 1 DS
NumberOfAverages 1 DS
VoxelThickness 1 DS
VoxelPhaseFOV 1 DS
VoxelReadoutFOV 1 DS
VoxelPositionSag 1 DS
VoxelPositionCor 1 DS
VoxelPositionTra 1 DS
VoxelNormalSag 1 DS
VoxelNormalCor 1 DS
VoxelNormalTra 1 DS
VoxelInPlaneRot 1 DS
ImagePositionPatient 3 DS
ImageOrientationPatient 6 DS
PixelSpacing 2 DS
SliceLocation 1 DS
SliceThickness 1 DS
SpectrumTextRegionLabel 1 SH
Comp_Algorithm 1 IS
Comp_Blended 1 IS
Comp_ManualAdjusted 1 IS
Comp_AutoParam 1 LT
Comp_AdjustedParam 1 LT
Comp_JobID 1 LT
FMRIStimulInfo 1 IS
FlowEncodingDirectionString 1 SH
RepetitionTimeEffective 1 DS
CsiImagePositionPatient 3 DS
CsiImageOrientationPatient 6 DS
CsiPixelSpacing 2 DS
CsiSliceLocation 1 DS
CsiSliceThickness 1 DS
OriginalSeriesNumber 1 IS 2
OriginalImageNumber 1 IS {number}
ImaAbsTablePosition 3 SL 0\0\-1262
NonPlanarImage 1 US 1
MoCoQMeasure 1 US
LQAlgorithm 1 SH
SlicePosition_PCS 3 FD -120.5\-128.25\{number}.5
RBMoCoTrans 3 FD
RBMoCoRot 3 FD
MultistepIndex 1 IS 0
ImaRelTablePosition 3 IS 0\0\-10
ImaCoilString 1 LO HE1-4;NE1,2
RFSWDDataType 1 SH measured
GSWDDataType 1 SH measured
NormalizeManipulated 1 IS
ImaPATModeText 1 LO p2
B_matrix 6 FD
BandwidthPerPixelPhaseEncode 1 FD
FMRIStimulLevel 0 FD
MosaicRefAcqTimes 0 FD
AutoInlineImageFilterEnabled 1 IS 1
QCData 0 FD
ExamLandmarks 1 LT
ExamDataRole 1 ST
MR_ASL 1 UT
RealWorldValueMapping 1 UT
UserDefinedImage 1 UT
"""
