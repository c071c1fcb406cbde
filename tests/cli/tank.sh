# A phantom in a real tank, with all electrodes and without the first 6: fit, segment, score. Only where the
# challenge's training data, h5py and numpy are there.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

training=$SHARED_DATA/eit/ktc2023_training.h5
[ -r "$training" ] || { echo "skipped: no $training"; exit 77; }
python3 -c "import h5py, numpy" 2>/dev/null || { echo "skipped: no h5py or numpy"; exit 77; }
python3 "$SOURCE/bench/eit/tank_files.py" "$training" .
score() { python3 "$SOURCE/bench/eit/score.py" "$@"; }

[ "$(score truth3.nii.gz truth3.nii.gz)" = 1.0000 ] || fail "the truth against itself: $(score truth3.nii.gz truth3.nii.gz)"
above "0.51" "$(score truth4.nii.gz truth3.nii.gz)" "score of the wrong phantom, each with one absent class"

# A weight given, to save the search; one absent class must stay absent.
expect_exit 0 "$FINEGRAIN" fit tank3.h5 -o out --alpha 0.02 --elements 3000 --no-picture
has stdout "what redundant patterns contradict"
expect_exit 0 "$FINEGRAIN" segment out/conductivity.nii.gz -o labels.nii.gz
jq -e '[.Regions[].Label] | all(. == 2)' labels.json >/dev/null || fail "something resistive: $(cat labels.json)"
above "$(score labels.nii.gz truth3.nii.gz)" 0.85 "score of phantom 3"

expect_exit 0 "$FINEGRAIN" fit tank4.h5 -o dropped --alpha 0.02 --elements 3000 --no-picture --drop-electrodes 1,2,3,4,5,6
expect_exit 0 "$FINEGRAIN" segment dropped/conductivity.nii.gz -o dropped.nii.gz
above "$(score dropped.nii.gz truth4.nii.gz)" 0.6 "score of phantom 4 without the first 6 electrodes"
