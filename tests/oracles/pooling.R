# Golden numbers of tests/evaluation/test_pooling.py, by metafor (rma, predict). Run from the project root:
#   Rscript --vanilla tests/oracles/pooling.R
# Writes pooling_data.csv and pooling.csv. The Fisher scoring of REML runs to a step below 1e-14 (default 1e-5); the
# prediction interval is that of Higgins 2009 (pi.type = "riley": t on k - 2 degrees of freedom).
suppressPackageStartupMessages(library(metafor))
here <- "tests/oracles"
number <- function(x) sprintf("%.17g", x)
sets <- list(
  # logit AUCs of centres
  four = data.frame(y = qlogis(c(.81, .74, .69, .78)), s = c(.19, .24, .31, .35)),
  alike = data.frame(y = c(1.01, 1.03, .98, 1.02, 1.00), s = c(.2, .3, .25, .4, .15)),
  apart = data.frame(y = c(-.4, .2, 1.1, 1.9, .7, .3), s = c(.12, .3, .2, .45, .25, .08)),
  three = data.frame(y = c(.2, .9, .5), s = c(.1, .2, .4)),
  two = data.frame(y = c(.2, .9), s = c(.1, .2)),
  # thirteen trials of the BCG vaccine, log relative risk: metafor's own example
  bcg = with(escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
    data.frame(y = as.numeric(yi), s = sqrt(as.numeric(vi))))
)
rows <- list()
for (set in names(sets)) for (method in c("REML", "PM", "DL")) for (test in c("knha", "adhoc", "z")) {
  own <- sets[[set]]
  for (level in c(95, 90)) {
    control <- if (method == "DL") list() else list(threshold = 1e-14, maxiter = 10000, tol = 1e-14)
    fit <- suppressWarnings(rma(y, sei = s, data = own, method = method, test = test, level = level, control = control))
    interval <- c(NA, NA)
    if (nrow(own) > 2) {
      # for the normal test metafor's prediction interval is normal: t with k - 2 degrees is asked for all tests
      reach <- qt(1 - (1 - level / 100) / 2, nrow(own) - 2) * sqrt(fit$tau2 + fit$se^2)
      interval <- fit$b[1] + c(-1, 1) * reach
      if (test != "z") {
        own_interval <- predict(fit, pi.type = "riley", level = level)
        stopifnot(abs(own_interval$pi.lb - interval[1]) < 1e-12, abs(own_interval$pi.ub - interval[2]) < 1e-12)
      }
    }
    value <- c(estimate = fit$b[1], low = fit$ci.lb, high = fit$ci.ub, prediction_low = interval[1],
      prediction_high = interval[2], tau_squared = fit$tau2, i_squared = fit$I2 / 100, q = fit$QE, p = fit$QEp)
    rows[[length(rows) + 1]] <- data.frame(set = set, method = method, test = test, level = level,
      what = names(value), value = number(value))
  }
}
data <- do.call(rbind, lapply(names(sets), function(set)
  data.frame(set = set, y = number(sets[[set]]$y), s = number(sets[[set]]$s))))
write.csv(data, file.path(here, "pooling_data.csv"), row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, rows), file.path(here, "pooling.csv"), row.names = FALSE, quote = FALSE)
