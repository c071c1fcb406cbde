% eidors.m: times EIDORS (MATLAB/Octave; http://eidors3d.sourceforge.net) on a mesh that bench_eit has written: a forward solution and the
% Jacobian of adjacent patterns. Run by bench/eit/speed.sh with the working directory FOLDER:
%   nodes.txt [m], elements.txt (from 1), faces.txt (electrode from 1, nodes from 1 of each of its faces), impedance.txt [ohm m^2]
% Prints one JSON object: CPU seconds, and the adjacent voltages to voltages_eidors.txt.
eidors_msg('log_level', 0);
model.type = 'fwd_model';
model.name = 'bench';
model.nodes = load('nodes.txt');
model.elems = load('elements.txt');
faces = load('faces.txt');
impedance = load('impedance.txt');
count = max(faces(:, 1));
model.boundary = find_boundary(model.elems);
for l = 1:count
  model.electrode(l).nodes = unique(faces(faces(:, 1) == l, 2:end))';
  model.electrode(l).z_contact = impedance(l);
end
model.gnd_node = 1;
model.stimulation = mk_stim_patterns(count, 1, [0 1], [0 1], {'meas_current', 'no_rotate_meas'}, 1);
model.solve = @fwd_solve_1st_order;
model.jacobian = @jacobian_adjoint;
model.system_mat = @system_mat_1st_order;
model.normalize_measurements = 0;
model = eidors_obj('fwd_model', model);
img = mk_image(model, 1);
eidors_cache('off');
start = cputime(); data = fwd_solve(img); forward = cputime() - start;
eidors_cache('on'); eidors_cache('clear_all');
start = cputime(); jacobian = calc_jacobian(img); both = cputime() - start;
voltages = data.meas;
save('-ascii', '-double', 'voltages_eidors.txt', 'voltages');
fid = fopen('/proc/self/status'); text = fread(fid, Inf, 'char=>char')'; fclose(fid);
peak = str2double(regexp(text, 'VmHWM:\s*(\d+)', 'tokens'){1}{1}) * 1024;
printf('{"elements": %d, "forward": %.4g, "jacobian": %.4g, "peak": %.4g, "sum": %.10g}\n', rows(model.elems), forward, both, peak, sum(abs(jacobian(:))));
