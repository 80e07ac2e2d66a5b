# Golden numbers of tests/evaluation/test_agreement.py and test_intraclass.py, by psych (cohen.kappa, ICC). Run from the project root:
#   Rscript --vanilla tests/oracles/agreement.R
# Writes agreement_readings.csv (two readers, categories 1-4), agreement_ratings.csv (several readers, numbers, with
# the example of Shrout and Fleiss) and agreement.csv. ICC with lmer = FALSE: from the mean squares, as published. Kappa's standard errors are the delta
# method by complex-step derivatives, exact to machine precision: psych 2.2.9 sums the wrong margin in the variance of
# weighted kappa (rowSums(w * rs) scales rows where columns are meant). Its estimates and plain errors are compared.
suppressPackageStartupMessages(library(psych))
here <- "tests/oracles"
number <- function(x) sprintf("%.17g", x)
rows <- list()
keep <- function(set, what, value) rows[[length(rows) + 1]] <<- data.frame(set = set, what = what, value = number(value))

set.seed(20)
first <- sample(1:4, 80, TRUE, c(.4, .3, .2, .1))
second <- pmin(4, pmax(1, first + sample(-1:1, 80, TRUE, c(.15, .7, .15))))
rare_first <- c(rep(1, 35), rep(2, 5)); rare_second <- c(rep(1, 34), 2, 2, 2, 2, 1, 1)
gap_first <- sample(c(1, 2, 4), 60, TRUE); gap_second <- ifelse(runif(60) < .7, gap_first, sample(c(1, 2, 4), 60, TRUE))
against_first <- rep(1:2, each = 12); against_second <- c(rep(2, 9), rep(1, 13), 2, 2)
readings <- rbind(data.frame(set = "ordered", first, second), data.frame(set = "rare", first = rare_first, second = rare_second),
  data.frame(set = "gap", first = gap_first, second = gap_second),
  data.frame(set = "against", first = against_first, second = against_second))
kappa <- function(p, d) 1 - sum(d * p) / sum(d * outer(rowSums(p), colSums(p)))
delta_error <- function(p, d, n) {
  gradient <- sapply(seq_along(p), function(i) {
    q <- p + 0i
    q[i] <- q[i] + 1e-30i
    Im(kappa(q, d)) / 1e-30
  })
  sqrt((sum(p * gradient^2) - sum(p * gradient)^2) / n)
}
for (set in unique(readings$set)) {
  own <- readings[readings$set == set, c("first", "second")]
  levels <- seq_len(max(own)) # psych's weights are by place: name the level that nobody used
  size <- length(levels)
  distance <- abs(outer(levels, levels, "-")) / (size - 1)
  shares <- table(factor(own$first, levels), factor(own$second, levels)) / nrow(own)
  shares <- matrix(shares, size)
  weights <- list(plain = 1 - diag(size), linear = distance, quadratic = distance^2)
  for (name in names(weights)) {
    found <- suppressWarnings(cohen.kappa(own, w = 1 - weights[[name]], levels = levels))
    error <- delta_error(shares, weights[[name]], nrow(own))
    keep(set, name, found$weighted.kappa)
    keep(set, paste0(name, c("_low", "_high")), pmin(1, pmax(-1, found$weighted.kappa + qnorm(c(.025, .975)) * error)))
  }
  keep(set, paste0("psych_plain", c("_low", "", "_high")), found$confid[1, ])
}

shrout <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE)
true <- rnorm(40, 25, 8)
three <- cbind(true + rnorm(40, 0, 3), true + rnorm(40, 2, 3), true + rnorm(40, 0, 5))
two <- three[1:30, 1:2]
noise <- matrix(rnorm(24), ncol = 2)
ratings <- list(shrout = shrout, three = three, two = two, noise = noise)
long <- list()
for (set in names(ratings)) {
  for (alpha in c(.05, .10)) {
    found <- ICC(ratings[[set]], lmer = FALSE, alpha = alpha)$results
    for (i in 1:6) keep(set, paste0(found$type[i], "_", alpha, c("", "_low", "_high")), unlist(found[i, c(2, 7, 8)]))
  }
  m <- ratings[[set]]
  long[[set]] <- data.frame(set = set, patient = c(row(m)), reader = c(col(m)), value = number(c(m)))
}
write.csv(readings, file.path(here, "agreement_readings.csv"), row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, long), file.path(here, "agreement_ratings.csv"), row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, rows), file.path(here, "agreement.csv"), row.names = FALSE, quote = FALSE)
