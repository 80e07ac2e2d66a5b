# Golden values for discrimination: pROC (auc, ci, var, cov, roc.test paired and unpaired), the global test and the
# logit interval in closed form from pROC's numbers, anova of glm, p.adjust, prop.test. Remake: make oracles
# (Rscript --vanilla tests/oracles/discrimination.R, in the project's root). Data are made here and stored.
suppressMessages(library(pROC))
folder <- "tests/oracles"
set.seed(20263)

# Continuous scores, heavy ties (five grades), few patients, a rare outcome; three models, and d with the ranks of a.
make <- function(name, n, prevalence, digits) {
  label <- rbinom(n, 1, prevalence)
  label[1:4] <- c(0, 1, 0, 1)
  a <- round(rnorm(n) + label, digits)
  b <- round(0.6 * a + rnorm(n) + 0.3 * label, digits)
  c <- round(rnorm(n) - 0.2 * label, digits)
  data.frame(set = name, label = label, a = a, b = b, c = c, d = 2 * a + 1)
}
# Perfect separation, a constant score, the wrong way round.
edge <- data.frame(set = "edge", label = rep(0:1, each = 10), a = 1:20, b = 3, c = c(11:20, 1:9, 15), d = 2 * 1:20 + 1)
data <- rbind(make("continuous", 150, 0.3, 12), make("tied", 200, 0.4, 0), make("small", 24, 0.4, 1),
              make("rare", 120, 0.1, 3), edge)
write.csv(data, file.path(folder, "discrimination_data.csv"), row.names = FALSE, quote = FALSE)
data <- read.csv(file.path(folder, "discrimination_data.csv"))

rows <- list()
add <- function(set, what, value) rows[[length(rows) + 1]] <<- data.frame(set = set, what = what, value = unname(value))
curve <- function(d, score) roc(d$label, d[[score]], levels = c(0, 1), direction = "<", quiet = TRUE)
models <- c("a", "b", "c")

options(warn = 2)
for (name in unique(data$set)) {
  if (name == "edge") options(warn = -1)  # pROC warns that a perfect curve has no variance
  d <- data[data$set == name, ]
  curves <- lapply(models, function(score) curve(d, score))
  areas <- sapply(curves, function(one) as.numeric(auc(one)))
  covariance <- outer(1:3, 1:3, Vectorize(function(i, j) if (i == j) var(curves[[i]], method = "delong") else
    cov(curves[[i]], curves[[j]], method = "delong")))
  for (i in 1:3) {
    add(name, paste0("auc_", models[i]), areas[i])
    for (j in 1:3) add(name, paste0("cov_", models[i], models[j]), covariance[i, j])
    for (confidence in c(0.9, 0.95)) {
      interval <- ci.auc(curves[[i]], method = "delong", conf.level = confidence)
      add(name, sprintf("low_%s_%g", models[i], confidence), interval[1])
      add(name, sprintf("high_%s_%g", models[i], confidence), interval[3])
      if (areas[i] == 1) next
      z <- qnorm((1 + confidence) / 2)
      ends <- plogis(qlogis(areas[i]) + c(-1, 1) * z * sqrt(covariance[i, i]) / (areas[i] * (1 - areas[i])))
      add(name, sprintf("logit_low_%s_%g", models[i], confidence), ends[1])
      add(name, sprintf("logit_high_%s_%g", models[i], confidence), ends[2])
    }
  }
  if (name == "edge") next
  for (pair in list(1:2, c(1, 3), 2:3)) {
    test <- roc.test(curves[[pair[1]]], curves[[pair[2]]], method = "delong", paired = TRUE, conf.level = 0.95)
    which <- paste0(models[pair], collapse = "")
    add(name, paste0("difference_", which), -diff(areas[pair])); add(name, paste0("z_", which), test$statistic)
    add(name, paste0("p_", which), test$p.value)
    add(name, paste0("low_", which), test$conf.int[1]); add(name, paste0("high_", which), test$conf.int[2])
  }
  # DeLong's equation 5 with consecutive differences (the choice of contrasts does not matter)
  contrasts <- rbind(c(1, -1, 0), c(0, 1, -1))
  d_auc <- contrasts %*% areas
  chi <- drop(t(d_auc) %*% solve(contrasts %*% covariance %*% t(contrasts)) %*% d_auc)
  add(name, "global_chi", chi); add(name, "global_p", pchisq(chi, 2, lower.tail = FALSE))

  tight <- glm.control(epsilon = 1e-10)  # smaller ones would keep R from seeing that d repeats a
  fit <- function(formula) glm(formula, family = binomial, data = d, control = tight)
  comparisons <- list(null_a = list(label ~ 1, label ~ a), a_abc = list(label ~ a, label ~ a + b + c),
                      a_abd = list(label ~ a, label ~ a + b + d))
  for (which in names(comparisons)) {
    fits <- lapply(comparisons[[which]], fit)
    table <- anova(fits[[1]], fits[[2]], test = "LRT")
    add(name, paste0("lrt_chi_", which), table$Deviance[2]); add(name, paste0("lrt_df_", which), table$Df[2])
    add(name, paste0("lrt_p_", which), table[["Pr(>Chi)"]][2])
  }
}

# Different patients: each set against the next.
names_of <- setdiff(unique(data$set), "edge")
for (i in seq_along(names_of)) {
  one <- names_of[i]; other <- names_of[i %% length(names_of) + 1]
  first <- curve(data[data$set == one, ], "a"); second <- curve(data[data$set == other, ], "b")
  test <- roc.test(first, second, method = "delong", paired = FALSE)
  set <- paste(one, other, sep = "-")
  difference <- as.numeric(auc(first)) - as.numeric(auc(second))
  error <- sqrt(var(first, method = "delong") + var(second, method = "delong"))
  add(set, "difference", difference); add(set, "t", test$statistic)
  add(set, "df", test$parameter); add(set, "p", test$p.value)
  reach <- qt(0.975, test$parameter) * error
  add(set, "low", max(-1, difference - reach)); add(set, "high", min(1, difference + reach))
}

raw <- c(0.001, 0.04, NA, 0.03, 0.2, 0.04, 0.9, 0)
for (i in seq_along(raw)) add("holm", as.character(i), p.adjust(raw, "holm")[i])
for (case in list(c(0, 10), c(10, 10), c(3, 17), c(1, 1), c(250, 1000))) for (confidence in c(0.9, 0.95)) {
  interval <- suppressWarnings(prop.test(case[1], case[2], conf.level = confidence, correct = FALSE))$conf.int
  add("wilson", sprintf("low_%g_%g_%g", case[1], case[2], confidence), interval[1])
  add("wilson", sprintf("high_%g_%g_%g", case[1], case[2], confidence), interval[2])
}

golden <- do.call(rbind, rows)
golden$value <- sprintf("%.17g", golden$value)
write.csv(golden, file.path(folder, "discrimination.csv"), row.names = FALSE, quote = FALSE)
