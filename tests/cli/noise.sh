# Noise: noncentral-chi magnitudes, noise maps and what can be wrong with them.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"
for tool in mrcalc mrgrid mrcat mrstats; do command -v $tool >/dev/null || fail "$tool of MRtrix is absent: scripts/install-deps test"; done

rmse() { "$COMPARE_MAPS" rmse "$1/porosity.nii.gz" "$2/truth/porosity.nii.gz" "${3:-$2/truth/mask.nii.gz}"; }
ratio() { awk "BEGIN { print $1 / $2 }"; }
small="--phantom mixed --size 16,16,12 --orientation dispersed"
fit() { # FOLDER DWI OPTION...
  local folder=$1 dwi=$2
  shift 2
  expect_exit 0 "$FINEGRAIN" fit "$dwi" -o "$folder" --orientation dispersed --no-picture "$@"
}

# Noncentral chi: at SNR 10 and b = 2500 the floor of eight coils hides the signal's decay; its mean put right gives porosity back.
# shellcheck disable=SC2086
expect_exit 0 "$FINEGRAIN" simulate $small --shell 2500 --snr 10 --noise ncchi --coils 8 -o chi -q
for noise in gaussian rician "ncchi --coils 8"; do
  # shellcheck disable=SC2086
  fit "chi_${noise%% *}" chi/dwi.nii.gz --pointwise --sigma "$(sed -n 's/.*"Sigma": \([0-9.]*\).*/\1/p' chi/dwi.json)" --noise $noise
done
below "$(ratio "$(rmse chi_ncchi chi)" "$(rmse chi_gaussian chi)")" 0.5 "porosity error, eight coils, ncchi over gaussian"
below "$(ratio "$(rmse chi_ncchi chi)" "$(rmse chi_rician chi)")" 0.6 "porosity error, eight coils, ncchi over rician"
[ "$(jq .noise.coils chi_ncchi/summary.json)" = 8 ] || fail "coils: $(jq .noise chi_ncchi/summary.json)"
[ "$(jq .Noise.Coils chi_ncchi/porosity.json)" = 8 ] || fail "coils: $(jq .Noise chi_ncchi/porosity.json)"

# One coil is Rician noise; the sum of squares over one coil too.
fit one chi/dwi.nii.gz --pointwise --sigma 100 --noise ncchi --coils 1
fit rician chi/dwi.nii.gz --pointwise --sigma 100 --noise rician
[ "$("$COMPARE_MAPS" bitwise one/porosity.nii.gz rician/porosity.nii.gz)" -eq 0 ] || fail "one coil is not Rician"
expect_exit 0 "$FINEGRAIN" verify chi/dwi.nii.gz --orientation dispersed --noise ncchi --coils 8 --regularizer tv -q
# A number of coils that is not whole, and the derivatives with it.
# shellcheck disable=SC2086
expect_exit 0 "$FINEGRAIN" simulate $small --snr 10 --noise ncchi --coils 3.5 -o part -q
expect_exit 0 "$FINEGRAIN" verify part/dwi.nii.gz --orientation dispersed --noise ncchi --coils 3.5 --robust huber -q

# The noise level that fit finds by itself: where signals are low their deviation is below that of a channel, which must not pass for less
# noise; and where the floor of many coils hides the decay, the residuals cannot tell.
# shellcheck disable=SC2086
expect_exit 0 "$FINEGRAIN" simulate $small --shell 2500 --snr 5 --noise rician -o low -q
for from in b0 residual; do
  fit level low/dwi.nii.gz --pointwise --noise rician --sigma $from --force
  found=$(ratio "$(jq .noise.sigma_signal_units level/summary.json)" "$(sed -n 's/.*"Sigma": \([0-9.]*\).*/\1/p' low/dwi.json)")
  above "$found" 0.95 "noise level from $from, SNR 5, b = 2500, over the true one"
  below "$found" 1.05 "noise level from $from, SNR 5, b = 2500, over the true one"
done
# shellcheck disable=SC2086
expect_exit 0 "$FINEGRAIN" simulate $small --shell 2500 --snr 10 --noise ncchi --coils 16 -o floor -q
expect_exit 3 "$FINEGRAIN" fit floor/dwi.nii.gz -o x --orientation dispersed --noise ncchi --coils 16 --sigma residual -q
one_line stderr
has stderr "the noise floor hides too much"

for arguments in "fit chi/dwi.nii.gz -o x --noise ncchi" "fit chi/dwi.nii.gz -o x --noise rician --coils 8" "simulate --phantom mixed -o x --coils 8" \
  "verify chi/dwi.nii.gz --noise ncchi" "fit chi/dwi.nii.gz -o x --noise ncchi --coils 0.5"; do
  # shellcheck disable=SC2086
  expect_exit 2 "$FINEGRAIN" $arguments
  one_line stderr
  has stderr "--coils"
done
empty x

# A noise map of one value is that value, through the search for the weight too.
# shellcheck disable=SC2086
expect_exit 0 "$FINEGRAIN" simulate $small --snr 20 -o sim -q
mrcalc -quiet sim/dwi_mask.nii.gz 50 -mult flat.nii.gz -datatype float32
fit value sim/dwi.nii.gz --sigma 50
fit map sim/dwi.nii.gz --sigma flat.nii.gz
lacks stderr "median"
for name in porosity kappa direction_scanner chi2; do
  [ "$("$COMPARE_MAPS" bitwise value/$name.nii.gz map/$name.nii.gz)" -eq 0 ] || fail "a flat noise map gives another $name than its value"
done
[ "$(jq .weights.alpha value/summary.json)" = "$(jq .weights.alpha map/summary.json)" ] || fail "a flat noise map gives another weight"
[ "$(jq -r .noise.source map/summary.json)" = "map flat.nii.gz" ] || fail "source: $(jq .noise map/summary.json)"

# Holes of every kind take the median: 0, NaN, and next to nothing.
mrcalc -quiet sim/truth/porosity.nii.gz 0.7 -gt 0 flat.nii.gz -if zeros.nii.gz -datatype float32
mrcalc -quiet sim/truth/porosity.nii.gz 0.12 -ge inside.nii.gz
mrcalc -quiet zeros.nii.gz inside.nii.gz -mult inside.nii.gz -div nans.nii.gz -datatype float32 # 0/0
mrcalc -quiet sim/truth/kappa.nii.gz 0.8 -gt 0.01 nans.nii.gz -if holes.nii.gz -datatype float32
[ "$(mrstats -quiet nans.nii.gz -mask sim/dwi_mask.nii.gz -output count)" -lt "$(mrstats -quiet zeros.nii.gz -mask sim/dwi_mask.nii.gz -output count)" ] ||
  fail "no NaN in the noise map"
fit holes sim/dwi.nii.gz --sigma holes.nii.gz
[ "$(grep -c 'they take the median, 50$' stderr)" -eq 1 ] || fail "holes of the noise map: $(cat stderr)"
above "$(jq .noise.voxels_without_map_value holes/summary.json)" 10 "voxels without a value in the noise map"
[ "$("$COMPARE_MAPS" bitwise value/porosity.nii.gz holes/porosity.nii.gz)" -eq 0 ] || fail "holes do not take the median"

# Noise that is not the same everywhere: the field's fit must know. Left half SNR 40, right half SNR 10; the map against one value.
# shellcheck disable=SC2086
{
  expect_exit 0 "$FINEGRAIN" simulate $small --sigma 25 -o quiet -q
  expect_exit 0 "$FINEGRAIN" simulate $small --sigma 100 --seed 2 -o loud -q
}
mrgrid -quiet quiet/dwi_mask.nii.gz crop -axis 0 0,8 left.nii.gz
mrgrid -quiet left.nii.gz pad -axis 0 0,8 left_padded.nii.gz
mrcalc -quiet left_padded.nii.gz 0.5 -gt half.nii.gz -datatype uint8
mrcalc -quiet half.nii.gz quiet/dwi.nii.gz loud/dwi.nii.gz -if mixed.nii.gz -datatype float32
mrcalc -quiet half.nii.gz 25 100 -if level.nii.gz -datatype float32
cp quiet/dwi.bval mixed.bval
cp quiet/dwi.bvec mixed.bvec
cp quiet/dwi_mask.nii.gz mixed_mask.nii.gz
mrcalc -quiet half.nii.gz quiet/dwi_mask.nii.gz -mult quiet_half.nii.gz -datatype uint8
fit by_map mixed.nii.gz --sigma level.nii.gz --regularizer tv --alpha 0.5
fit by_value mixed.nii.gz --sigma 62 --regularizer tv --alpha 0.5
below "$(ratio "$(rmse by_map quiet quiet_half.nii.gz)" "$(rmse by_value quiet quiet_half.nii.gz)")" 0.9 "porosity error of the quiet half, map over one value"
below "$(ratio "$(rmse by_map quiet)" "$(rmse by_value quiet)")" 1 "porosity error, noise that varies, map over one value"
below "$(jq .fit.median_reduced_chi2 by_map/summary.json)" 1.1 "median reduced chi-squared by the map"
above "$(jq .fit.median_reduced_chi2 by_map/summary.json)" 0.9 "median reduced chi-squared by the map"

# Maps that cannot be used: one line each.
mrgrid -quiet flat.nii.gz crop -axis 2 0,1 smaller.nii.gz
mrcat -quiet -axis 3 flat.nii.gz flat.nii.gz two.nii.gz
mrcalc -quiet flat.nii.gz 0 -mult zero.nii.gz
python3 - <<'END'
import gzip, struct
data = bytearray(gzip.open("flat.nii.gz").read())
offset = struct.unpack_from("<f", data, 292)[0]  # srow_x[3]
struct.pack_into("<f", data, 292, offset + 1.0)
struct.pack_into("<f", data, 268, struct.unpack_from("<f", data, 268)[0] + 1.0)  # qoffset_x
gzip.open("shifted.nii.gz", "wb").write(data)
END
bad() { # FILE TEXT
  expect_exit 3 "$FINEGRAIN" fit sim/dwi.nii.gz -o x --sigma "$1" -q
  one_line stderr
  has stderr "$1"
  has stderr "$2"
  empty x
}
bad smaller.nii.gz "expected 16 x 16 x 12"
bad two.nii.gz "2 volumes"
bad zero.nii.gz "no positive noise level inside the mask"
bad shifted.nii.gz "voxels off"
bad nowhere.nii.gz "nowhere.nii.gz"

# The map that dwidenoise writes, whose windows at the mask's edge hold zeros.
command -v dwidenoise >/dev/null || exit 0
brain=$SOURCE/examples/brain
dwidenoise -quiet "$brain/dwi.nii.gz" -mask "$brain/dwi_mask.nii.gz" denoised.nii.gz -noise pca.nii.gz
fit pca "$brain/dwi.nii.gz" --sigma pca.nii.gz --pointwise
has stderr "they take the median"
below "$(jq .fit.pointwise_mean_reduced_chi2 pca/summary.json)" 100 "mean reduced chi-squared by the map of dwidenoise"
