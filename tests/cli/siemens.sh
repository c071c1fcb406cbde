# Two scans of one person, stored with det(affine) > 0 and < 0: the directions agree once the heads are brought together.
# The x-flip of the FSL rule, both frames and the affine all enter; with the flip wrong the angle is about 40 degrees.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"
scans=$SHARED_DATA/dwi/siemens_sag_b2000
[ -r "$scans/detpos.nii.gz" ] || { echo "skipped: $scans is absent"; exit 77; }
for tool in dwi2mask dwi2tensor tensor2metric mrregister mrtransform mrconvert mrcalc mrcat; do
  command -v $tool >/dev/null || fail "$tool of MRtrix is absent: scripts/install-deps test"
done

for scan in detpos detneg; do
  gradients=(-fslgrad "$scans/$scan.bvec" "$scans/$scan.bval")
  dwi2mask -quiet "$scans/$scan.nii.gz" "${gradients[@]}" mask_$scan.nii.gz
  mrconvert -quiet "$scans/$scan.nii.gz" -coord 3 0 -axes 0,1,2 b0_$scan.nii.gz
  expect_exit 0 "$FINEGRAIN" fit "$scans/$scan.nii.gz" --mask mask_$scan.nii.gz -o $scan --pointwise
  python3 "$SOURCE/tests/cli/check_maps.py" "$scans/$scan.nii.gz" $scan || fail "$scan: maps are not as documented"
  mkdir mrtrix_$scan
  dwi2tensor -quiet "$scans/$scan.nii.gz" "${gradients[@]}" -mask mask_$scan.nii.gz tensor_$scan.mif
  tensor2metric -quiet tensor_$scan.mif -mask mask_$scan.nii.gz -fa mrtrix_$scan/FA.nii.gz \
    -vector mrtrix_$scan/direction_scanner.nii.gz -modulate none
done
mrregister -quiet b0_detneg.nii.gz b0_detpos.nii.gz -type rigid -mask1 mask_detneg.nii.gz -mask2 mask_detpos.nii.gz -rigid rigid.txt
grep -v '^#' rigid.txt >rotation.txt

# split VECTORS: its components, one image each.
split() { for k in 0 1 2; do mrconvert -quiet -force "$1" -coord 3 $k -axes 0,1,2 component$k.mif; done; }

# moved FOLDER OUT: the directions of detneg's FOLDER in the space of detpos. Vectors up to sign cannot be interpolated, their
# dyads can; those weigh by FA, for the direction of an isotropic voxel says nothing. rigid.txt maps points of detpos (x) to
# detneg (R x + t), so directions go the other way: R^T n.
moved() {
  local dyads=() rotated=() i row
  split "$1/direction_scanner.nii.gz"
  for pair in 00 11 22 01 02 12; do
    mrcalc -quiet -force component${pair:0:1}.mif component${pair:1:1}.mif -mult "$1/FA.nii.gz" -mult dyad$pair.mif
    dyads+=("dyad$pair.mif")
  done
  mrcat -quiet -force "${dyads[@]}" -axis 3 dyads.mif
  mrtransform -quiet -force dyads.mif -reorient_fod no -linear rigid.txt -template detpos/FA.nii.gz -strides detpos/FA.nii.gz \
    -interp linear dyads_moved.mif
  tensor2metric -quiet -force dyads_moved.mif -modulate none -vector vectors.mif
  split vectors.mif
  for i in 1 2 3; do
    read -r -a row <<<"$(awk -v i=$i 'NR <= 3 { print $i }' rotation.txt | tr '\n' ' ')"
    mrcalc -quiet -force component0.mif "${row[0]}" -mult component1.mif "${row[1]}" -mult -add component2.mif "${row[2]}" -mult \
      -add rotated$i.mif
    rotated+=("rotated$i.mif")
  done
  mrcat -quiet -force "${rotated[@]}" -axis 3 "$2"
}

# resample MAP OUT: a map of detneg in the space of detpos. White matter: FA above 0.35 in both scans.
resample() {
  mrtransform -quiet -force "$1" -linear rigid.txt -template detpos/FA.nii.gz -strides detpos/FA.nii.gz -interp linear "$2"
}
resample detneg/FA.nii.gz FA_moved.nii.gz
mrcalc -quiet detpos/FA.nii.gz 0.35 -gt FA_moved.nii.gz 0.35 -gt -mult white.nii.gz -datatype uint8
above "$(mrstats -quiet white.nii.gz -mask white.nii.gz -output count)" 8000 "voxels of white matter"

moved detneg moved.nii.gz
angle=$("$COMPARE_MAPS" angle moved.nii.gz detpos/direction_scanner.nii.gz white.nii.gz)
below "$angle" 5 "median angle between the scans' directions [degree]"
moved mrtrix_detneg moved_mrtrix.nii.gz
reference=$("$COMPARE_MAPS" angle moved_mrtrix.nii.gz mrtrix_detpos/direction_scanner.nii.gz white.nii.gz)
below "$angle" "1.1 * $reference" "the same, against MRtrix's $reference degree between its own"

# The quantity itself repeats too.
resample detneg/porosity.nii.gz porosity_moved.nii.gz
above "$("$COMPARE_MAPS" correlation porosity_moved.nii.gz detpos/porosity.nii.gz white.nii.gz)" 0.5 "correlation of porosity in white matter"

# The measure sees a wrong flip.
split moved.nii.gz
mrcalc -quiet component0.mif -neg flipped.mif
mrcat -quiet flipped.mif component1.mif component2.mif -axis 3 wrong.nii.gz
above "$("$COMPARE_MAPS" angle wrong.nii.gz detpos/direction_scanner.nii.gz white.nii.gz)" 30 "median angle with x negated [degree]"
