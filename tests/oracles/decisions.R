# Golden values for thresholds, paired calls, predictive values and reclassification, from pROC, Hmisc and base R.
# Remake: make oracles (Rscript --vanilla tests/oracles/decisions.R, run in the project's root).
# Writes decisions_data.csv (two probabilities a and b of each patient) and decisions.csv (set, what, value).
# A score equal to the threshold is called positive throughout; set "tied" has many such patients.
suppressMessages({library(pROC); library(Hmisc)})
folder <- "tests/oracles"
set.seed(20261)
at <- 0.3  # the threshold of the calls

# Data sets: continuous probabilities, heavy ties, few patients, rare outcome, one positive, one value, wrong way round.
make <- function(name, label, digits, signal = 1) {
  n <- length(label)
  x <- rnorm(n) + signal * label
  a <- plogis(-1 + 0.8 * x)
  b <- plogis(-1.2 + 0.5 * x + 0.5 * rnorm(n))
  data.frame(set = name, label = label, a = round(a, digits), b = round(b, digits))
}
shuffled <- function(positives, n) sample(rep(c(1, 0), c(positives, n - positives)))
data <- rbind(make("continuous", shuffled(50, 150), 9), make("tied", 1 * (runif(200) < 0.4), 1),
              make("small", shuffled(9, 24), 3), make("rare", shuffled(8, 120), 6), make("single", shuffled(1, 20), 6),
              make("constant", shuffled(6, 15), 9), make("reversed", shuffled(20, 60), 9, -4))
data$a[data$set == "constant"] <- 0.3
write.csv(data, file.path(folder, "decisions_data.csv"), row.names = FALSE, quote = FALSE)
data <- read.csv(file.path(folder, "decisions_data.csv"))

rows <- list()
add <- function(set, what, value) rows[[length(rows) + 1]] <<- data.frame(set = set, what = what, value = unname(value))

# Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10; cells e, f, g, h = both, only a, only b, neither.
wilson <- function(x, n) suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int
newcombe <- function(e, f, g, h) {
  n <- e + f + g + h
  p2 <- (e + f) / n; p3 <- (e + g) / n
  l2 <- wilson(e + f, n)[1]; u2 <- wilson(e + f, n)[2]; l3 <- wilson(e + g, n)[1]; u3 <- wilson(e + g, n)[2]
  product <- (e + f) * (g + h) * (e + g) * (f + h)
  top <- e * h - f * g
  if (top > 0) top <- max(top - n / 2, 0)
  phi <- if (product == 0) 0 else top / sqrt(product)
  delta <- sqrt((p2 - l2)^2 - 2 * phi * (p2 - l2) * (u3 - p3) + (u3 - p3)^2)
  epsilon <- sqrt((u2 - p2)^2 - 2 * phi * (u2 - p2) * (p3 - l3) + (p3 - l3)^2)
  c((f - g) / n, (f - g) / n - delta, (f - g) / n + epsilon)
}
paired <- function(set, what, e, f, g, h) {
  table <- matrix(c(e, g, f, h), 2)
  add(set, paste(what, "only_a"), f); add(set, paste(what, "only_b"), g)
  for (correct in c(TRUE, FALSE)) {
    test <- mcnemar.test(table, correct = correct)
    name <- if (correct) "corrected" else "plain"
    add(set, paste(what, name, "statistic"), test$statistic); add(set, paste(what, name, "p"), test$p.value)
  }
  add(set, paste(what, "exact p"), if (f + g == 0) 1 else binom.test(f, f + g)$p.value)
  interval <- newcombe(e, f, g, h)
  add(set, paste(what, "difference"), interval[1]); add(set, paste(what, "low"), interval[2])
  add(set, paste(what, "high"), interval[3])
}

for (name in unique(data$set)) {
  d <- data[data$set == name, ]
  curve <- roc(d$label, d$a, levels = c(0, 1), direction = "<", quiet = TRUE)
  all <- coords(curve, "all", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
  index <- round(all$sensitivity + all$specificity, 12)
  add(name, "youden", min(all$threshold[index == max(index)]))
  for (target in c(0.5, 0.8, 0.9, 0.95, 1)) {
    add(name, sprintf("at_sensitivity_%g", target), max(all$threshold[all$sensitivity >= target - 1e-12]))
    add(name, sprintf("at_specificity_%g", target), min(all$threshold[all$specificity >= target - 1e-12]))
  }

  # One confusion matrix: proportions from pROC, their intervals from prop.test, the rest by other routes than ours.
  wanted <- c("tp", "fp", "fn", "tn", "sensitivity", "specificity", "ppv", "npv", "accuracy")
  point <- coords(curve, at, input = "threshold", ret = wanted, transpose = FALSE)
  for (what in wanted) add(name, what, point[[what]])
  counts <- with(point, list(sensitivity = c(tp, tp + fn), specificity = c(tn, tn + fp), ppv = c(tp, tp + fp),
                             npv = c(tn, tn + fn), accuracy = c(tp + tn, tp + fp + fn + tn)))
  for (what in names(counts)) {
    interval <- if (counts[[what]][2] == 0) c(NaN, NaN) else wilson(counts[[what]][1], counts[[what]][2])
    add(name, paste0(what, "_low"), interval[1]); add(name, paste0(what, "_high"), interval[2])
  }
  called <- d$a >= at
  add(name, "balanced_accuracy", mean(tapply(called == d$label, d$label, mean)))
  add(name, "f1", 2 / (1 / point$ppv + 1 / point$sensitivity))  # the harmonic mean
  add(name, "mcc", if (sd(called) == 0) 0 else cor(called, d$label))  # Pearson's correlation of calls and labels

  other <- d$b >= at
  groups <- list(accuracy = rep(TRUE, nrow(d)), sensitivity = d$label == 1, specificity = d$label == 0)
  for (group in names(groups)) {
    first <- (called == d$label)[groups[[group]]]; second <- (other == d$label)[groups[[group]]]
    paired(name, group, sum(first & second), sum(first & !second), sum(!first & second), sum(!first & !second))
  }

  improved <- improveProb(d$b, d$a, d$label)
  for (what in c("nri.ev", "nri.ne", "idi")) {
    add(name, what, improved[[what]]); add(name, paste0("se.", what), improved[[paste0("se.", what)]])
  }
}

# Paired tables: large, few discordant, none, all, empty margins; 59/6/16/80 and 14/5/0/22 are worked in print.
for (cells in list(c(59, 6, 16, 80), c(14, 5, 0, 22), c(36, 12, 2, 0), c(20, 0, 0, 5), c(10, 0, 0, 0), c(0, 7, 0, 0),
                   c(0, 30, 12, 0), c(200, 40, 31, 90), c(0, 12, 13, 1), c(5, 20, 20, 5))) {
  do.call(paired, c(list("tables", paste(cells, collapse = "/")), as.list(cells)))
}

# Mercaldo, Lau & Zhou (2007), Statistics in Medicine 26, 2170-2183: logit intervals, and the adjusted ones (z^2/2 added
# to each count) where a count is 0. First table: their example (ApoE4, table VIII).
predictive <- function(tp, fp, fn, tn, p, confidence) {
  z <- qnorm(1 - (1 - confidence) / 2)
  k <- if (min(tp, fp, fn, tn) == 0) z else 0
  n1 <- tp + fn + k^2; n0 <- fp + tn + k^2
  se <- (tp + k^2 / 2) / n1; sp <- (tn + k^2 / 2) / n0
  ppv <- log(se * p / ((1 - sp) * (1 - p))); npv <- log(sp * (1 - p) / ((1 - se) * p))
  var_ppv <- (1 - se) / se / n1 + sp / (1 - sp) / n0; var_npv <- se / (1 - se) / n1 + (1 - sp) / sp / n0
  se_raw <- tp / (tp + fn); sp_raw <- tn / (fp + tn)
  c(ppv = se_raw * p / (se_raw * p + (1 - sp_raw) * (1 - p)),
    ppv_low = plogis(ppv - z * sqrt(var_ppv)), ppv_high = plogis(ppv + z * sqrt(var_ppv)),
    npv = sp_raw * (1 - p) / (sp_raw * (1 - p) + (1 - se_raw) * p),
    npv_low = plogis(npv - z * sqrt(var_npv)), npv_high = plogis(npv + z * sqrt(var_npv)))
}
for (cells in list(c(240, 87, 178, 288), c(22, 15, 8, 45), c(30, 0, 5, 40), c(12, 9, 0, 30), c(9, 0, 0, 20),
                   c(0, 4, 6, 9), c(0, 0, 6, 9), c(7, 9, 0, 0))) {
  for (p in c(0.03, 0.2, 0.5, 0.9)) for (confidence in c(0.95, 0.9)) {
    values <- do.call(predictive, as.list(c(cells, p, confidence)))
    for (what in names(values)) {
      add("predictive", sprintf("%s %g %g %s", paste(cells, collapse = "/"), p, confidence, what), values[what])
    }
  }
}

golden <- do.call(rbind, rows)
golden$value <- sprintf("%.17g", golden$value)
write.csv(golden, file.path(folder, "decisions.csv"), row.names = FALSE, quote = FALSE)
