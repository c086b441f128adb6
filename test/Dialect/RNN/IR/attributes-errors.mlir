// RUN: rnn-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{unknown field 'rate'; expected one of 'lr', 'momentum', 'weight_decay', 'nesterov'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<rate = 1.0>)

// -----

// expected-error@+1 {{field 'lr' is given twice}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.adam<lr = 1.0, lr = 2.0>)

// -----

// expected-error@+1 {{expected a number}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.adam<lr = "fast">)

// -----

// expected-error@+1 {{unknown field 'rho'; expected one of 'lr', 'alpha', 'eps', 'momentum', 'weight_decay', 'centered'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.rmsprop<rho = 0.9>)

// -----

// expected-error@+1 {{expected 'true' or 'false' for 'centered'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.rmsprop<centered = 1>)

// -----

// expected-error@+1 {{unknown field 'alpha'; expected one of 'lr', 'lr_decay', 'eps', 'weight_decay'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.adagrad<alpha = 0.9>)

// -----

// expected-error@+1 {{unknown field 'alpha'; expected one of 'lr', 'rho', 'eps', 'weight_decay'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.adadelta<alpha = 0.9>)

// -----

// expected-error@+1 {{unknown field 'momentum'; expected one of 'lr', 'beta1', 'beta2', 'eps', 'weight_decay', 'amsgrad'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.adamw<momentum = 0.9>)

// -----

// expected-error@+1 {{expected 'true' or 'false' for 'nesterov'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<momentum = 0.9, nesterov = 1.0>)

// -----

// expected-error@+1 {{'nesterov' needs a momentum}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<nesterov = true>)

// -----

// expected-error@+1 {{expected a positive number of blocks}}
rnn.parameter @w : tensor<4x4xf32> init(#rnn.orthogonal<blocks = 0>)

// -----

// expected-error@+1 {{expected a positive number of blocks}}
rnn.parameter @w : tensor<4x4xf32> init(#rnn.orthogonal<blocks = 1.5>)
