# Golden values for tests/models/test_{logistic,firth,profile,splines,selection}.py: glm (coefficients, covariance, tests, profile
# intervals), brglm2 (Firth), rms (rcs, anova, vif), car (vif), step (AIC). Remake: make oracles
# (Rscript --vanilla tests/oracles/regression.R, run in the project's root).
#
# Profile intervals are roots of the (penalised) deviance by uniroot; MASS::confint, which interpolates the profile, is
# stored beside them. The penalised likelihood is maximised by optim, not by the modified score that the package uses.
suppressMessages({ library(rms); library(car); library(brglm2); library(MASS) })
folder <- "tests/oracles"
set.seed(20253)
rows <- list()
add <- function(data, analysis, term, what, value) {
  rows[[length(rows) + 1]] <<- data.frame(data = data, analysis = analysis, term = term, what = what,
                                          value = sprintf("%.17g", value))
}
tight <- glm.control(epsilon = 1e-14, maxit = 200)

# Three data sets: an ordinary one in awkward units, one whose binary x3 separates (all positive where it is 1), and a
# small one that a line separates completely.
n <- 180
ordinary <- data.frame(x1 = round(rnorm(n, 5200, 1100)), x2 = round(exp(rnorm(n, -6, 0.6)), 7), x3 = rbinom(n, 1, 0.35))
ordinary$x4 <- round(0.7 * (ordinary$x1 - 5200) / 1100 + rnorm(n), 4)
ordinary$label <- rbinom(n, 1, plogis(-0.6 + 0.7 * (log(ordinary$x2) + 6) + 0.6 * ordinary$x3 + 0.5 * ordinary$x4))
n <- 60
separated <- data.frame(x1 = round(rnorm(n, 50, 10), 1), x2 = round(rnorm(n), 4), x3 = rbinom(n, 1, 0.2), x4 = round(rnorm(n), 4))
separated$label <- ifelse(separated$x3 == 1, 1, rbinom(n, 1, plogis(0.05 * (separated$x1 - 50) - 0.5)))
n <- 24
complete <- data.frame(x1 = round(rnorm(n), 4), x2 = round(rnorm(n), 4), x3 = rbinom(n, 1, 0.5), x4 = round(rnorm(n), 4))
complete$label <- as.integer(complete$x1 + 0.3 * complete$x2 > 0.1)
sets <- list(ordinary = ordinary, separated = separated, complete = complete)
terms <- c("x1", "x2", "x3", "x4")
names <- c("intercept", terms)
stored <- do.call(rbind, lapply(names(sets), function(s) cbind(data = s, sets[[s]])))
stored[, -1] <- lapply(stored[, -1], function(v) sprintf("%.17g", v))
write.csv(stored, file.path(folder, "regression_data.csv"), row.names = FALSE, quote = FALSE)

matrix_of <- function(d) cbind(1, as.matrix(d[, terms]))
limit <- qchisq(0.95, 1)
# Root beyond the estimate in steps that double; NA if the deviance never passes the limit
end_of <- function(excess, inside, step) {
  for (k in 1:40) {
    outside <- inside + step
    if (excess(outside) > 0) {
      return(uniroot(excess, sort(c(inside, outside)), tol = 1e-13 * max(1, abs(outside)), maxiter = 1000)$root)
    }
    inside <- outside; step <- 2 * step
  }
  NA
}

# glm: the ordinary data
x <- matrix_of(ordinary); y <- ordinary$label
fit <- glm(y ~ x - 1, family = binomial, control = tight)
fit <- glm(y ~ x - 1, family = binomial, control = tight, start = coef(fit))  # glm's covariance is a step behind
for (j in 1:5) {
  add("ordinary", "glm", names[j], "coefficient", coef(fit)[j])
  for (k in 1:5) add("ordinary", "glm", names[j], paste0("covariance_", names[k]), vcov(fit)[j, k])
}
add("ordinary", "glm", "model", "log_likelihood", as.numeric(logLik(fit)))
for (j in 2:5) {
  smaller <- glm(y ~ x[, -j] - 1, family = binomial, control = tight)
  add("ordinary", "glm", names[j], "chi_squared", deviance(smaller) - deviance(fit))
  add("ordinary", "glm", names[j], "p_lrt", pchisq(deviance(smaller) - deviance(fit), 1, lower.tail = FALSE))
}
pair <- anova(glm(y ~ x[, -c(4, 5)] - 1, family = binomial, control = tight), fit, test = "Chisq")
add("ordinary", "glm", "x3+x4", "chi_squared", pair[2, "Deviance"])
add("ordinary", "glm", "x3+x4", "p_lrt", pair[2, "Pr(>Chi)"])
profile_end <- function(d, j, sign, deviance_min, inside, step) {
  x <- matrix_of(d)
  end_of(function(v) {
    held <- suppressWarnings(glm.fit(x[, -j], d$label, offset = v * x[, j], family = binomial(), control = tight))
    held$deviance - deviance_min - limit
  }, inside, sign * step)
}
interpolated <- suppressMessages(confint(fit))
for (j in 1:5) {
  error <- sqrt(vcov(fit)[j, j])
  add("ordinary", "profile", names[j], "low", profile_end(ordinary, j, -1, deviance(fit), coef(fit)[j], 2 * error))
  add("ordinary", "profile", names[j], "high", profile_end(ordinary, j, 1, deviance(fit), coef(fit)[j], 2 * error))
  add("ordinary", "MASS", names[j], "low", interpolated[j, 1])
  add("ordinary", "MASS", names[j], "high", interpolated[j, 2])
}

# Separation: x3's upper end is infinite. With x3 free the likelihood's limit is that of the patients without x3, who are
# fitted alone; with x3 held it is an ordinary maximum.
without <- separated[separated$x3 == 0, ]
x <- as.matrix(cbind(1, without[, c("x1", "x2", "x4")]))
alone <- glm(without$label ~ x - 1, family = binomial, control = tight)
for (j in 1:4) for (sign in c(-1, 1)) {
  value <- end_of(function(v) {
    held <- glm.fit(x[, -j], without$label, offset = v * x[, j], family = binomial(), control = tight)
    held$deviance - alone$deviance - limit
  }, coef(alone)[j], sign * sqrt(vcov(alone)[j, j]))
  add("separated", "profile", names[c(1, 2, 3, 5)][j], if (sign < 0) "low" else "high", value)
}
add("separated", "profile", "x3", "low", profile_end(separated, 4, -1, alone$deviance, 6, 1))

# Firth: brglm2, and the penalised profile by optim on standardised columns
firth <- function(d, j = NULL, v = 0) {
  x <- matrix_of(d); y <- d$label
  centre <- c(0, colMeans(x[, -1])); spread <- c(1, apply(x[, -1], 2, sd))
  if (!is.null(j) && j == 1) centre <- rep(0, 5)
  z <- sweep(sweep(x, 2, centre), 2, spread, "/")
  free <- setdiff(1:5, j)
  full <- function(b) { beta <- numeric(5); beta[free] <- b; if (!is.null(j)) beta[j] <- v * spread[j]; beta }
  minus <- function(b) {
    eta <- drop(z %*% full(b)); p <- plogis(eta)
    -(sum(ifelse(y == 1, plogis(eta, log.p = TRUE), plogis(-eta, log.p = TRUE))) +
        0.5 * as.numeric(determinant(crossprod(z * sqrt(p * (1 - p))))$modulus))
  }
  gradient <- function(b) {
    eta <- drop(z %*% full(b)); p <- plogis(eta); w <- p * (1 - p)
    h <- rowSums((z %*% solve(crossprod(z * sqrt(w)))) * z) * w
    -drop(crossprod(z, y - p + h * (0.5 - p)))[free]
  }
  b <- rep(0, length(free))
  for (k in 1:6) b <- optim(b, minus, gradient, method = "BFGS", control = list(reltol = 1e-16, maxit = 2000))$par
  # determinants are those of the original columns: they differ by the spreads
  list(value = -minus(b) + sum(log(spread)), step = 1 / spread)
}
for (s in names(sets)) {
  d <- sets[[s]]
  fit <- glm(label ~ x1 + x2 + x3 + x4, family = binomial, data = d, method = "brglmFit", type = "AS_mean",
             epsilon = 1e-12, maxit = 5000)
  for (j in 1:5) {
    add(s, "brglm2", names[j], "coefficient", coef(fit)[j])
    for (k in 1:5) add(s, "brglm2", names[j], paste0("covariance_", names[k]), vcov(fit)[j, k])
  }
  best <- firth(d)
  add(s, "firth", "model", "log_likelihood", best$value)
  for (j in 2:5) add(s, "firth", names[j], "chi_squared", 2 * (best$value - firth(d, j, 0)$value))
  if (s != "complete") for (j in 1:5) {  # there the held likelihood has several maxima
    excess <- function(v) 2 * (best$value - firth(d, j, v)$value) - limit
    for (sign in c(-1, 1)) {
      add(s, "firth", names[j], if (sign < 0) "low" else "high", end_of(excess, coef(fit)[j], sign * 2 * best$step[j]))
    }
  }
}

# Splines and variance inflation
for (k in 3:5) {
  basis <- rcspline.eval(ordinary$x4, nk = k, inclx = TRUE)
  knots <- attr(basis, "knots")
  for (i in 1:k) add("ordinary", paste0("rcs", k), paste0("knot", i), "value", knots[i])
  for (i in 1:12) for (j in 1:(k - 1)) add("ordinary", paste0("rcs", k), paste0("row", i), paste0("column", j), basis[i, j])
  curved <- lrm(label ~ rcs(x4, k), data = ordinary, tol = 1e-14, eps = 1e-10, maxit = 100)
  for (i in 1:k) add("ordinary", paste0("lrm", k), paste0("b", i - 1), "coefficient", coef(curved)[i])
  line <- lrm(label ~ x4, data = ordinary, tol = 1e-14, eps = 1e-10, maxit = 100)
  test <- lrtest(line, curved)$stats
  add("ordinary", paste0("lrm", k), "linearity", "chi_squared", test["L.R. Chisq"])
  add("ordinary", paste0("lrm", k), "linearity", "degrees_of_freedom", test["d.f."])
  add("ordinary", paste0("lrm", k), "linearity", "p", test["P"])
  # anova's own test of nonlinearity is Wald's
  wald <- anova(curved)
  add("ordinary", paste0("lrm", k), "nonlinear", "wald", wald[grep("Nonlinear", rownames(wald))[1], "Chi-Square"])
}
full <- glm(label ~ x1 + x2 + x3 + x4, family = binomial, data = ordinary, control = tight)
full <- update(full, start = coef(full))
for (j in 1:4) {
  add("ordinary", "vif", terms[j], "rms", rms::vif(full)[j])
  add("ordinary", "vif", terms[j], "car", car::vif(full)[j])
}
# AIC: step() as it comes, on the patients of logistic_data.csv with values imputed
d <- read.csv(file.path(folder, "logistic_data.csv"), na.strings = "")
common <- function(v) { v[is.na(v)] <- names(which.max(table(v))); v }
middle <- function(v) { v[is.na(v)] <- median(v, na.rm = TRUE); v }
d <- data.frame(label = d$label, age_years = middle(d$age_years), node = log(middle(d$node_mm)), rim = common(d$rim),
                shape = factor(common(d$shape), c("oval", "round", "irregular")),
                curve = match(common(d$curve), c("persistent", "plateau", "washout")))
chosen <- step(glm(label ~ ., family = binomial, data = d, control = tight), direction = "backward", trace = 0)
for (term in attr(terms(chosen), "term.labels")) add("patients", "step", term, "kept", 1)
add("patients", "step", "model", "aic", AIC(chosen))

golden <- do.call(rbind, rows)
write.csv(golden, file.path(folder, "regression.csv"), row.names = FALSE, quote = FALSE)
