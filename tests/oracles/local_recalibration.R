# Golden values for tests/evaluation/test_local_recalibration.py, from glm and anova of base R, on the data sets of
# calibration.R. Remake: make oracles (Rscript --vanilla tests/oracles/local_recalibration.R, run in the project's root).
folder <- "tests/oracles"
data <- read.csv(file.path(folder, "calibration_data.csv"))
tight <- glm.control(epsilon = 1e-14, maxit = 100)

rows <- list()
add <- function(set, what, value, at = NA) {
  rows[[length(rows) + 1]] <<- data.frame(set = set, what = what, at = at, value = unname(value))
}

for (name in unique(data$set)) {
  y <- data$label[data$set == name]; x <- qlogis(data$probability[data$set == name])
  fold <- (seq_along(y) - 1) %% 10

  # Every patient by the update that was fitted without her fold.
  shifted <- stretched <- numeric(length(y))
  for (k in 0:9) {
    rest <- data.frame(y = y, x = x)[fold != k, ]; own <- data.frame(x = x[fold == k])
    shift <- glm(y ~ offset(x), family = binomial, data = rest, control = tight)
    line <- glm(y ~ x, family = binomial, data = rest, control = tight)
    shifted[fold == k] <- predict(shift, own, type = "response")
    stretched[fold == k] <- predict(line, own, type = "response")
  }
  add(name, "cross_fitted_intercept", shifted, seq_along(y) - 1)
  add(name, "cross_fitted_slope", stretched, seq_along(y) - 1)

  # How much updating is asked for: none against both, the intercept against both.
  none <- glm(y ~ offset(x) - 1, family = binomial)
  intercept <- glm(y ~ offset(x), family = binomial, control = tight)
  both <- glm(y ~ x + offset(x), family = binomial, control = tight)
  add(name, "p_any", anova(none, both, test = "LRT")[2, "Pr(>Chi)"])
  add(name, "p_slope", anova(intercept, both, test = "LRT")[2, "Pr(>Chi)"])
}

result <- do.call(rbind, rows)
result$value <- sprintf("%.17g", result$value)
write.csv(result, file.path(folder, "local_recalibration.csv"), row.names = FALSE, quote = FALSE)
