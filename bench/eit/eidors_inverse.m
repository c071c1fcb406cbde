% eidors_inverse.m: EIDORS' absolute Gauss-Newton fit of log conductivity to a measurement of this program (FOLDER/measured.h5), on the mesh
% that bench_eit wrote beside it (eidors.m), with the Laplace prior. Prints one JSON object a weight: CPU seconds and chi-squared of the fit.
eidors_msg('log_level', 0);
measured = load('measured.h5'); % Octave gives arrays of HDF5 transposed: [electrodes, patterns]
model.type = 'fwd_model';
model.name = 'bench';
model.nodes = load('nodes.txt');
model.elems = load('elements.txt');
faces = load('faces.txt');
count = max(faces(:, 1));
model.boundary = find_boundary(model.elems);
for l = 1:count
  model.electrode(l).nodes = unique(faces(faces(:, 1) == l, 2:end))';
  model.electrode(l).z_contact = measured.contact_impedance(l);
end
model.gnd_node = 1;
for p = 1:columns(measured.current)
  model.stimulation(p).stim_pattern = sparse(measured.current(:, p));
  model.stimulation(p).meas_pattern = sparse(measured.measurement_pattern');
end
model.solve = @fwd_solve_1st_order;
model.jacobian = @jacobian_adjoint;
model.system_mat = @system_mat_1st_order;
model.normalize_measurements = 0;
model = eidors_obj('fwd_model', model);
noise = measured.noise(:);
for weight = weights
  inverse = struct('type', 'inv_model', 'name', 'bench', 'fwd_model', model, 'reconst_type', 'absolute');
  inverse.solve = @inv_solve_gn;
  inverse.jacobian_bkgnd.value = background;
  inverse.RtR_prior = @prior_laplace;
  inverse.hyperparameter.value = weight;
  inverse.meas_icov = spdiags(1 ./ noise .^ 2, 0, numel(noise), numel(noise));
  inverse.inv_solve_gn.elem_working = 'log_conductivity';
  inverse.inv_solve_gn.max_iterations = 10;
  inverse = eidors_obj('inv_model', inverse);
  eidors_cache('clear_all');
  start = cputime();
  result = inv_solve(inverse, eidors_obj('data', 'measured', 'meas', measured.voltage(:)));
  seconds = cputime() - start;
  fitted = fwd_solve(result);
  printf('{"weight": %g, "seconds": %.4g, "chi2": %.6g}\n', weight, seconds, sum(((fitted.meas - measured.voltage(:)) ./ noise) .^ 2));
end
