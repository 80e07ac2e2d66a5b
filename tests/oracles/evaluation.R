# Golden values for tests/evaluation, from pROC, rms, Hmisc and base R. Remake: make oracles
# (Rscript tests/oracles/evaluation.R, run in the project's root). Data are made here and stored with the results.
suppressMessages({library(pROC); library(rms)})
folder <- "tests/oracles"
set.seed(20251)

# Four data sets: continuous scores, heavy ties, few patients, a rare outcome.
make <- function(name, n, prevalence, digits) {
  label <- rbinom(n, 1, prevalence)
  label[1:2] <- c(0, 1)
  a <- rnorm(n) + label
  b <- 0.6 * a + rnorm(n) + 0.3 * label
  probability <- plogis(-1 + 0.8 * a)
  data.frame(set = name, label = label, a = round(a, digits), b = round(b, digits), probability = round(probability, 6))
}
data <- rbind(make("continuous", 150, 0.3, 12), make("tied", 200, 0.4, 0), make("small", 24, 0.4, 1),
              make("rare", 120, 0.1, 3))
write.csv(data, file.path(folder, "evaluation_data.csv"), row.names = FALSE, quote = FALSE)
data <- read.csv(file.path(folder, "evaluation_data.csv"))

rows <- list()
add <- function(set, what, value) rows[[length(rows) + 1]] <<- data.frame(set = set, what = what, value = value)
for (name in unique(data$set)) {
  d <- data[data$set == name, ]
  first <- roc(d$label, d$a, levels = c(0, 1), direction = "<", quiet = TRUE)
  second <- roc(d$label, d$b, levels = c(0, 1), direction = "<", quiet = TRUE)
  interval <- ci.auc(first, method = "delong")
  test <- roc.test(first, second, method = "delong", paired = TRUE)
  add(name, "auc_a", as.numeric(auc(first))); add(name, "auc_b", as.numeric(auc(second)))
  add(name, "auc_a_low", interval[1]); add(name, "auc_a_high", interval[3])
  add(name, "var_a", var(first, method = "delong")); add(name, "cov_ab", cov(first, second, method = "delong"))
  add(name, "z", unname(test$statistic)); add(name, "p", test$p.value)
  best <- coords(first, "best", best.method = "youden", transpose = FALSE)
  add(name, "youden", min(best$threshold))

  # Calibration: slope, Brier, Spiegelhalter from rms::val.prob; intercepts and intervals from glm.
  p <- d$probability; y <- d$label
  val <- val.prob(p, y, pl = FALSE)
  add(name, "slope", val["Slope"]); add(name, "brier", val["Brier"])
  add(name, "spiegelhalter_z", val["S:z"]); add(name, "spiegelhalter_p", val["S:p"])
  tight <- glm.control(epsilon = 1e-14, maxit = 100)
  offset_fit <- glm(y ~ offset(qlogis(p)), family = binomial, control = tight)
  slope_fit <- glm(y ~ qlogis(p), family = binomial, control = tight)
  add(name, "intercept", coef(offset_fit)); add(name, "intercept_se", sqrt(vcov(offset_fit)[1, 1]))
  add(name, "slope_glm", coef(slope_fit)[2]); add(name, "slope_se", sqrt(vcov(slope_fit)[2, 2]))

  # The flexible curve at the patients themselves, and the errors read from it.
  places <- if (nrow(d) < 100) c(0.1, 0.5, 0.9) else c(0.05, 0.35, 0.65, 0.95)
  knots <- quantile(qlogis(p), places)
  flexible <- fitted(glm(y ~ rcspline.eval(qlogis(p), knots, inclx = TRUE), family = binomial, control = tight))
  distance <- abs(flexible - p)
  add(name, "ici", mean(distance)); add(name, "e50", median(distance))
  add(name, "e90", unname(quantile(distance, 0.9))); add(name, "emax", max(distance))

  # Hosmer-Lemeshow by its definition over deciles, for a model that was not fitted to these patients.
  group <- cut(p, unique(quantile(p, (0:10) / 10)), include.lowest = TRUE)
  n <- tapply(y, group, length); o <- tapply(y, group, sum); e <- tapply(p, group, sum)
  chi <- sum((o - e)^2 / (e * (1 - e / n)))
  add(name, "hosmer_lemeshow", chi); add(name, "hosmer_lemeshow_p", pchisq(chi, length(n), lower.tail = FALSE))

  # Likelihood-ratio test of b beside a, and of the interaction of a with a grouping.
  one <- glm(y ~ d$a, family = binomial, control = tight); two <- glm(y ~ d$a + d$b, family = binomial, control = tight)
  add(name, "lrt_p", anova(one, two, test = "LRT")[2, 5])
  three <- factor(seq_len(nrow(d)) %% 3)
  plain <- glm(y ~ qlogis(p) + three, family = binomial, control = tight)
  crossed <- glm(y ~ qlogis(p) * three, family = binomial, control = tight)
  add(name, "interaction_p", anova(plain, crossed, test = "LRT")[2, 5])

  # Wilson's interval, without continuity correction.
  wilson <- prop.test(sum(y), length(y), correct = FALSE)$conf.int
  add(name, "wilson_low", wilson[1]); add(name, "wilson_high", wilson[2])

  # Net benefit by its definition.
  for (t in c(0.1, 0.25, 0.5)) {
    treated <- p >= t
    add(name, sprintf("net_benefit_%g", t), mean(treated & y == 1) - mean(treated & y == 0) * t / (1 - t))
  }

  # Reclassification by its definition (Hmisc::improveProb), new = probability, old = a second one.
  old <- plogis(-1 + 0.4 * d$b)
  improved <- improveProb(old, p, y)
  add(name, "nri_events", improved$nri.ev); add(name, "nri_non_events", improved$nri.ne); add(name, "idi", improved$idi)
}
raw <- c(0.001, 0.04, 0.03, 0.2, 0.04, 0.9)
for (i in seq_along(raw)) add("holm", as.character(raw[i]), p.adjust(raw, "holm")[i])
knots <- c(-2, -0.5, 0.7, 3)
basis <- rcspline.eval(c(-3, -1, 0, 1, 4), knots, inclx = TRUE)
for (i in seq_along(basis)) add("spline", as.character(i), basis[i])

golden <- do.call(rbind, rows)
golden$value <- sprintf("%.17g", golden$value)
write.csv(golden, file.path(folder, "evaluation_golden.csv"), row.names = FALSE, quote = FALSE)
