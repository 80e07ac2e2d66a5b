# Golden values for tests/evaluation/test_calibration.py, test_flexible.py, test_recalibration.py and test_optimism.py,
# from glm, rms (val.prob, lrm with rcs, validate) and base R. Remake: make oracles
# (Rscript --vanilla tests/oracles/calibration.R, run in the project's root). Data are made here and stored as well.
suppressMessages(library(rms))
folder <- "tests/oracles"
set.seed(20253)

# rms stops a fit when -2 log L changes by less than 0.025, which leaves about four digits. The same code with a
# stricter criterion gives all of them; what rms ships is kept beside it for `validate`.
shipped <- rms::lrm.fit
stricter <- shipped
formals(stricter)$eps <- 1e-10
formals(stricter)$maxit <- 50
use <- function(fit) { assignInNamespace("lrm.fit", fit, "rms") }

rows <- list()
add <- function(set, what, value, at = NA) {
  rows[[length(rows) + 1]] <<- data.frame(set = set, what = what, at = at, value = unname(value))
}

# Five data sets: too extreme, too timid and too high, heavy ties, few patients, a rare outcome.
make <- function(name, n, intercept, slope, digits, spread = 1.2, centre = -0.6) {
  x <- centre + spread * rnorm(n)
  label <- rbinom(n, 1, plogis(intercept + slope * x))
  label[1:2] <- c(0, 1)
  data.frame(set = name, label = label, probability = round(plogis(x), digits))
}
data <- rbind(make("extreme", 300, 0.2, 0.5, 9), make("timid", 260, -0.8, 1.8, 9, 0.7), make("tied", 200, 0, 1, 1),
              make("small", 40, 0, 0.8, 9), make("rare", 250, 0.3, 0.9, 9, 1, -3.2))
data$probability <- pmin(pmax(data$probability, 0.001), 0.999)
write.csv(transform(data, probability = sprintf("%.17g", probability)), file.path(folder, "calibration_data.csv"),
          row.names = FALSE, quote = FALSE)

use(stricter)
tight <- glm.control(epsilon = 1e-14, maxit = 100)
for (name in unique(data$set)) {
  y <- data$label[data$set == name]; p <- data$probability[data$set == name]; x <- qlogis(p)

  # Intercept at slope 1 and its interval; intercept and slope together and theirs (Wald).
  # glm takes the variance from before its last step, so it runs once more from where it ended.
  offset_fit <- glm(y ~ offset(x), family = binomial, control = tight)
  offset_fit <- update(offset_fit, start = coef(offset_fit))
  line_fit <- glm(y ~ x, family = binomial, control = tight)
  line_fit <- update(line_fit, start = coef(line_fit))
  for (level in c(0.95, 0.8)) {
    suffix <- paste0("_", c("low", "high"), if (level != 0.95) "_80")
    add(name, paste0("intercept", suffix), confint.default(offset_fit, level = level)[1, ])
    add(name, paste0("line_intercept", suffix), confint.default(line_fit, level = level)[1, ])
    add(name, paste0("slope", suffix), confint.default(line_fit, level = level)[2, ])
  }
  add(name, "intercept", coef(offset_fit))
  add(name, c("line_intercept", "slope"), coef(line_fit))

  # val.prob: its Intercept is that of the line, not the one at slope 1. Its Emax, E90 and Eavg come from a lowess
  # and are not comparable with ours.
  val <- val.prob(p, y, pl = FALSE)
  add(name, paste0("val.prob_", c("Intercept", "Slope", "Brier", "S:z", "S:p")),
      val[c("Intercept", "Slope", "Brier", "S:z", "S:p")])
  add(name, "scaled_brier", 1 - val["Brier"] / (mean(y) * (1 - mean(y))))

  # What recalibration makes of some probabilities.
  some <- c(0.01, 0.1, 0.35, 0.8, 0.97)
  add(name, "updated_intercept", plogis(coef(offset_fit) + qlogis(some)), some)
  add(name, "updated_slope", predict(line_fit, data.frame(x = qlogis(some)), type = "response"), some)

  # The flexible curve by lrm and rcs, at some probabilities and at the patients, and the errors read from it.
  places <- if (length(p) < 100) c(0.1, 0.5, 0.9) else c(0.05, 0.35, 0.65, 0.95)
  knots <- quantile(x, places)
  flexible <- lrm(y ~ rcs(x, knots), tol = 1e-14)
  ends <- quantile(p, c(0.01, 0.99))
  grid <- seq(ends[1], ends[2], length.out = 60)
  add(name, "curve", predict(flexible, data.frame(x = qlogis(grid)), type = "fitted"), grid)
  distance <- abs(predict(flexible, type = "fitted") - p)
  add(name, "ici", mean(distance)); add(name, "e50", median(distance))
  add(name, "e90", quantile(distance, 0.9)); add(name, "emax", max(distance))

  # Hosmer-Lemeshow by its definition, over quintiles, for a model not fitted to these patients.
  # Among ties quantiles differ in the last bit or fall between values: groups without patients are dropped.
  group <- droplevels(cut(p, unique(signif(quantile(p, (0:5) / 5), 12)), include.lowest = TRUE))
  n <- tapply(y, group, length); o <- tapply(y, group, sum); e <- tapply(p, group, sum)
  chi <- sum((o - e)^2 / (e * (1 - e / n)))
  add(name, "hosmer_lemeshow", chi)
  add(name, "hosmer_lemeshow_p", pchisq(chi, length(n), lower.tail = FALSE))
}

# Optimism: rms::validate, all predictors kept ("full") and backward selection in every resample ("backward", which
# here keeps nothing in some). predab.resample, which validate calls, runs once more with the same seed and a measure
# that only writes down what it is given.
n <- 80; resamples <- 40
patients <- data.frame(a = rnorm(n), b = rnorm(n), c = rnorm(n), d = rbinom(n, 1, 0.4))
patients$y <- rbinom(n, 1, plogis(-0.6 + 0.5 * patients$a + 0.3 * patients$b))
kept <- list()
keep <- function(analysis, kind, resample, values) {
  kept[[length(kept) + 1]] <<- data.frame(analysis, kind, resample, t(sprintf("%.17g", values)))
}
for (analysis in c("full", "backward")) {
  bw <- analysis == "backward"
  for (version in c("shipped", "stricter")) {
    use(get(version))
    fit <- lrm(y ~ a + b + c + d, data = patients, x = TRUE, y = TRUE, maxit = 50)
    set.seed(7)
    invisible(capture.output(
      result <- validate(fit, B = resamples, bw = bw, rule = "p", sls = 0.12, type = "individual")
    ))
    suffix <- if (version == "shipped") "_shipped" else ""
    for (measure in c("Dxy", "Slope", "B")) for (column in c("index.orig", "optimism", "index.corrected", "n")) {
      add(analysis, paste0(measure, "_", column, suffix), result[measure, column])
    }
  }
  performances <- list(); apparent <- NULL
  record <- function(x, y, fit, iter, evalfit = FALSE, ...) {
    if (iter == 0) { keep(analysis, "apparent", 0, x); apparent <<- x }
    if (iter > 0 && !evalfit) keep(analysis, "logit", iter, x)
    performances[[length(performances) + 1]] <<-
      data.frame(iter, evalfit, auc = somers2(x, y)["C"], slope = if (evalfit || sd(x) == 0) 1 else
                 coef(glm(y ~ x, family = binomial, control = tight))[2], brier = mean((plogis(x) - y)^2))
    c(nothing = 0)
  }
  fitter <- function(x, y, maxit = 12, tol = 1e-07, penalty.matrix = NULL, xcol = NULL, ...) {
    rms::lrm.fit(x, y, maxit = maxit, tol = tol)
  }
  set.seed(7)
  invisible(capture.output(
    predab.resample(fit, method = "boot", fit = fitter, measure = record, B = resamples, bw = bw, rule = "p",
                    sls = 0.12, type = "individual", non.slopes.in.x = FALSE)
  ))
  set.seed(7)
  draws <- lapply(1:resamples, function(b) sample(n, replace = TRUE))
  for (b in 1:resamples) keep(analysis, "draw", b, draws[[b]] - 1)
  keep(analysis, "label", 0, patients$y)

  # Intervals by definition. Noma: location-shifted (AUC, Brier), and the percentiles of the test slopes. Shifted: the
  # model as it is in the drawn patients (AUC, Brier) and Wald's interval of its slope, less the optimism.
  performances <- do.call(rbind, performances)
  performances <- performances[performances$iter > 0, ]
  train <- performances[performances$evalfit, ]; test <- performances[!performances$evalfit, ]
  for (measure in c("auc", "brier")) {
    ends <- quantile(train[[measure]], c(0.025, 0.975)) - mean(train[[measure]] - test[[measure]])
    add(analysis, paste0(measure, c("_low", "_high")), ends)
    own <- sapply(draws, function(i) if (measure == "auc") somers2(apparent[i], patients$y[i])["C"] else
                  mean((plogis(apparent[i]) - patients$y[i])^2))
    ends <- quantile(own, c(0.025, 0.975)) - mean(train[[measure]] - test[[measure]])
    add(analysis, paste0(measure, c("_shifted_low", "_shifted_high")), ends)
  }
  add(analysis, c("slope_low", "slope_high"), quantile(test$slope, c(0.025, 0.975)))
  line_fit <- glm(patients$y ~ apparent, family = binomial, control = tight)
  line_fit <- update(line_fit, start = coef(line_fit))
  add(analysis, c("slope_shifted_low", "slope_shifted_high"), confint.default(line_fit)[2, ] - 1 + mean(test$slope))
  add(analysis, "constant_resamples", sum(test$auc == 0.5))
}
write.csv(do.call(rbind, kept), file.path(folder, "calibration_resamples.csv"), row.names = FALSE, quote = FALSE)

golden <- do.call(rbind, rows)
golden$value <- sprintf("%.17g", golden$value)
golden$at <- ifelse(is.na(golden$at), "", sprintf("%.17g", golden$at))
write.csv(golden, file.path(folder, "calibration.csv"), row.names = FALSE, quote = FALSE)
