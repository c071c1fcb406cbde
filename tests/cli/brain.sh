# finegrain fit on the shipped brain: directions and anisotropy against MRtrix's dwi2tensor, porosity, files and their headers.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"
brain=$SOURCE/examples/brain
for tool in dwi2tensor tensor2metric mrcalc mrstats mrinfo; do
  command -v $tool >/dev/null || fail "$tool of MRtrix is absent: scripts/install-deps test"
done

# An independent program's answer to the same data.
dwi2tensor -quiet "$brain/dwi.nii.gz" -fslgrad "$brain/dwi.bvec" "$brain/dwi.bval" -mask "$brain/dwi_mask.nii.gz" tensor.nii.gz
tensor2metric -quiet tensor.nii.gz -mask "$brain/dwi_mask.nii.gz" -fa fa.nii.gz -adc md.nii.gz -vector v1.nii.gz -modulate none
mrcalc -quiet fa.nii.gz 0.35 -gt white.nii.gz -datatype uint8

agrees() { # FOLDER DEGREES: of a fit with what MRtrix found
  below "$("$COMPARE_MAPS" angle "$1/direction_scanner.nii.gz" v1.nii.gz white.nii.gz)" "$2" "$1: median angle of V1 [degree]"
  above "$("$COMPARE_MAPS" correlation "$1/FA.nii.gz" fa.nii.gz "$1/mask.nii.gz")" 0.9 "$1: correlation of FA"
  above "$("$COMPARE_MAPS" correlation "$1/MD.nii.gz" md.nii.gz "$1/mask.nii.gz")" 0.9 "$1: correlation of MD"
  mrcalc -quiet -force "$1/porosity.nii.gz" 1e-6 -gt "$1/porosity.nii.gz" 0.999999 -lt -mult inside.nii.gz
  above "$(mrstats -quiet inside.nii.gz -mask "$1/mask.nii.gz" -output mean)" 0.95 "$1: share of porosity inside its bounds"
  mrcalc -quiet -force "$1/porosity.nii.gz" -finite finite.nii.gz
  [ "$(mrstats -quiet finite.nii.gz -output min)" -eq 1 ] || fail "$1: porosity is not finite everywhere"
}

whole() { # FOLDER: every file is there, readable by others, and as documented
  for file in summary.json config.yaml picture.png log.txt; do [ -s "$1/$file" ] || fail "$1/$file is absent or empty"; done
  [ -z "$(find "$1" -name '*.partial')" ] || fail "unfinished files: $(find "$1" -name '*.partial')"
  [ "$(head -c 8 "$1/picture.png" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fail "$1/picture.png is no PNG"
  for map in "$1"/*.nii.gz; do
    [ "$map" = "$1/dec.nii.gz" ] || mrinfo -quiet "$map" >info.txt || fail "mrinfo cannot read $map"
  done
  jq -e '.schema_version == 1 and ([.settings, .provenance, .voxels, .noise, .fit, .parameters, .status_shares, .counts, .seconds]
    | all(type == "object")) and .peak_memory_bytes > 0 and .voxels.mask == 134843 and .seconds.wall.computing > 0' \
    "$1/summary.json" >/dev/null || fail "$1/summary.json: $(cat "$1/summary.json")"
  python3 "$SOURCE/tests/cli/check_maps.py" "$brain/dwi.nii.gz" "$1" || fail "$1: maps are not as documented"
}

expect_exit 0 "$FINEGRAIN" fit "$brain/dwi.nii.gz" -o pointwise --pointwise
agrees pointwise 8
whole pointwise
[ "$(jq '.weights' pointwise/summary.json)" = null ] || fail "weights without a regularizer"

# Fewer parameters a voxel: less freedom to follow the tensor. Aligned fibers know no crossings, so they are asked only where
# one bundle fills the voxel.
expect_exit 0 "$FINEGRAIN" fit "$brain/dwi.nii.gz" -o dispersed --pointwise --orientation dispersed
below "$("$COMPARE_MAPS" angle dispersed/direction_scanner.nii.gz v1.nii.gz white.nii.gz)" 8 "dispersed: median angle of V1 [degree]"
mrcalc -quiet fa.nii.gz 0.6 -gt bundles.nii.gz -datatype uint8
expect_exit 0 "$FINEGRAIN" fit "$brain/dwi.nii.gz" -o aligned --pointwise --orientation aligned
below "$("$COMPARE_MAPS" angle aligned/direction_scanner.nii.gz v1.nii.gz bundles.nii.gz)" 8 "aligned: median angle of V1, FA > 0.6 [degree]"

# The field, its weight found.
expect_exit 0 "$FINEGRAIN" fit "$brain/dwi.nii.gz" -o regularized
agrees regularized 8
whole regularized
jq -e '.weights.target_reached and .weights.alpha > 0 and .solver.converged' regularized/summary.json >/dev/null ||
  fail "weight: $(jq '.weights, .solver' regularized/summary.json)"

# Where the determinant is positive, which the brain's is not, the FSL frame is another one.
python3 "$SOURCE/tests/cli/make_dwi.py" flipped det=1 size=16x16x12
expect_exit 0 "$FINEGRAIN" fit flipped.nii.gz -o flipped --pointwise
python3 "$SOURCE/tests/cli/check_maps.py" flipped.nii.gz flipped || fail "flipped: maps are not as documented"
