# Golden numbers of tests/cohort/test_comparison.py, by R's own tests. Run: Rscript --vanilla tests/oracles/baseline.R
age <- c(41, 52, 47, 60, 38, 55, 49, 63, 58, 44, 51, 66)
node <- c(5, 9, 7, 31, 6, 8, 12, 40, 9, 6, 10, 22)
two <- c("a", "a", "a", "a", "a", "b", "b", "b", "b", "b", "b", "b")
three <- c("a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "c")
small <- matrix(c(7, 1, 2, 8), nrow = 2)
large <- matrix(c(40, 25, 30, 35), nrow = 2)
sparse <- matrix(c(6, 1, 0, 2, 3, 1, 1, 2, 5), nrow = 3)
# an ordinal variable of three levels in two and in three groups; category shares of two groups of 60 and 80
grade <- c(1, 2, 2, 3, 1, 3, 3, 2, 3, 3, 2, 3)
shares <- rbind(c(10, 20, 30) / 60, c(40, 30, 10) / 80)
# Yang and Dalton's standardised difference: Mahalanobis distance of the shares without the first level
spread <- Reduce(`+`, lapply(1:2, function(g) diag(shares[g, -1]) - outer(shares[g, -1], shares[g, -1]))) / 2
wide <- matrix(c(30, 25, 20, 15, 30, 40), nrow = 2)
skew <- sum((node - mean(node))^3) / length(node) / (sum((node - mean(node))^2) / length(node))^1.5
n <- length(node)
golden <- c(
  welch_t = t.test(age ~ two)$p.value,
  mann_whitney = wilcox.test(node ~ two, exact = FALSE, correct = TRUE)$p.value,
  welch_anova = oneway.test(age ~ three)$p.value,
  kruskal_wallis = kruskal.test(node ~ factor(three))$p.value,
  fisher = fisher.test(small)$p.value,
  chi_squared = chisq.test(large, correct = FALSE)$p.value,
  chi_squared_wide = chisq.test(wide, correct = FALSE)$p.value,
  ordinal_two = wilcox.test(grade ~ two, exact = FALSE, correct = TRUE)$p.value,
  ordinal_three = kruskal.test(grade ~ factor(three))$p.value,
  smd_categories = sqrt(mahalanobis(shares[1, -1], shares[2, -1], spread)),
  smd_numbers = unname(abs(diff(tapply(age, two, mean))) / sqrt(mean(tapply(age, two, var)))),
  freeman_halton = fisher.test(sparse)$p.value,
  skewness = skew * sqrt(n * (n - 1)) / (n - 2),
  q1 = quantile(node, 0.25, names = FALSE),
  q3 = quantile(node, 0.75, names = FALSE)
)
write.csv(data.frame(quantity = names(golden), value = sprintf("%.17g", golden)),
  file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "baseline.csv"),
  row.names = FALSE, quote = FALSE)
