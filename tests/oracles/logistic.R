# Golden values for tests/models/test_logistic.py and test_clinical.py, from R's glm, anova, drop1, step by hand and
# rms::vif. Remake: make oracles (Rscript tests/oracles/logistic.R, run in the project's root).
suppressMessages(library(rms))
folder <- "tests/oracles"
set.seed(20252)

# Patients with a continuous, a logged, a binary, a three-level and an ordinal variable; values go missing.
n <- 220
age <- round(rnorm(n, 52, 11), 1)
node <- round(exp(rnorm(n, 2 + 0.01 * (age - 52), 0.5)), 1)
rim <- rbinom(n, 1, 0.4)
shape <- sample(c("oval", "round", "irregular"), n, TRUE, c(0.3, 0.2, 0.5))
curve <- sample(0:2, n, TRUE)
label <- rbinom(n, 1, plogis(-3.2 + 0.9 * log(node) + 0.9 * rim + 0.5 * (shape == "irregular")))
age[c(3, 50)] <- NA; rim[c(7, 80, 120)] <- NA; shape[c(11, 99)] <- NA; node[c(20, 21, 22)] <- NA
patients <- data.frame(
  patient_id = sprintf("P%03d", seq_len(n)), label = label, age_years = age, node_mm = node,
  rim = c("no", "yes")[rim + 1], shape = shape, curve = c("persistent", "plateau", "washout")[curve + 1]
)
write.csv(patients, file.path(folder, "logistic_data.csv"), row.names = FALSE, quote = FALSE, na = "")

d <- data.frame(label, age, node, rim, shape = factor(shape, c("oval", "round", "irregular")), curve)
rows <- list()
add <- function(analysis, term, what, value) {
  rows[[length(rows) + 1]] <<- data.frame(analysis = analysis, term = term, what = what, value = value)
}
report <- function(analysis, fit, names) {
  s <- summary(fit)$coefficients
  interval <- confint.default(fit)
  for (i in seq_along(names)) {
    add(analysis, names[i], "odds_ratio", exp(s[i + 1, 1]))
    add(analysis, names[i], "odds_ratio_low", exp(interval[i + 1, 1]))
    add(analysis, names[i], "odds_ratio_high", exp(interval[i + 1, 2]))
    add(analysis, names[i], "p", s[i + 1, 4])
  }
}

# Each variable alone, on the patients with a value
formulas <- list(
  age_years = list(label ~ age, "age_years"), node_mm = list(label ~ log(node), "log(node_mm)"),
  rim = list(label ~ rim, "rim=yes"), shape = list(label ~ shape, c("shape=round", "shape=irregular")),
  curve = list(label ~ curve, "curve")
)
for (f in formulas) {
  fit <- glm(f[[1]], binomial, d)
  report("univariable", fit, f[[2]])
  p <- anova(fit, test = "Chisq")[2, "Pr(>Chi)"]
  for (term in f[[2]]) { add("univariable", term, "p_lrt", p); add("univariable", term, "n", length(fit$y)) }
}

# Together, after median and most frequent value have replaced what is missing
complete <- d
complete$age[is.na(d$age)] <- median(d$age, na.rm = TRUE)
complete$node[is.na(d$node)] <- median(d$node, na.rm = TRUE)
complete$rim[is.na(d$rim)] <- as.numeric(mean(d$rim, na.rm = TRUE) > 0.5)
complete$shape[is.na(d$shape)] <- names(which.max(table(d$shape)))
names <- c("age_years", "log(node_mm)", "rim=yes", "shape=round", "shape=irregular", "curve")
full <- glm(label ~ age + log(node) + rim + shape + curve, binomial, complete)
report("full", full, names)
inflation <- vif(full)
for (i in seq_along(names)) add("full", names[i], "vif", inflation[i])
alone <- drop1(full, test = "Chisq")
for (i in 1:5) add("full", rownames(alone)[i + 1], "p_drop", alone[i + 1, "Pr(>Chi)"])
for (i in 1:5) add("prediction", patients$patient_id[i], "probability", fitted(full)[i])

# Backward selection at 0.05, by the likelihood-ratio test, a variable at a time
repeat {
  tested <- drop1(full, test = "Chisq")
  p <- tested[-1, "Pr(>Chi)"]
  if (all(p < 0.05)) break
  full <- update(full, paste(". ~ . -", rownames(tested)[-1][which.max(p)]))
}
for (term in attr(terms(full), "term.labels")) add("selected", term, "kept", 1)
golden <- do.call(rbind, rows)
golden$value <- format(golden$value, digits = 12, trim = TRUE)
write.csv(golden, file.path(folder, "logistic.csv"), row.names = FALSE, quote = FALSE)
