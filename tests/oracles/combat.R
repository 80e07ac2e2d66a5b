# Golden numbers of tests/models/test_harmonise.py, by sva (Bioconductor): ComBat. Run from the project root:
#   Rscript --vanilla tests/oracles/combat.R
# Writes combat_data.csv and combat.csv. Parametric empirical Bayes, no covariates. Debian: apt install r-bioc-sva.
if (!requireNamespace("sva", quietly = TRUE)) {
  message("sva is not installed (apt install r-bioc-sva): tests/oracles/combat.csv stays as it is")
  quit(status = 0)
}
here <- "tests/oracles"
set.seed(5)
centre <- rep(c("A", "B", "C"), c(40, 25, 15))
values <- matrix(rnorm(80 * 12, 5, 1), 80, 12)
values <- sweep(values, 2, exp(seq(-2, 4, length.out = 12)), "*") # features of very different size
values[centre == "B", ] <- sweep(values[centre == "B", ] * 1.6, 2, rnorm(12, 3, 1) * exp(seq(-2, 4, length.out = 12)), "+")
values[centre == "C", ] <- values[centre == "C", ] * 0.7
colnames(values) <- sprintf("f%02d", 1:12)
patients <- sprintf("P%02d", 1:80)
number <- function(x) sprintf("%.17g", x)
write_frame <- function(frame, name) {
  write.csv(data.frame(patient_id = patients, frame), file.path(here, name), row.names = FALSE, quote = FALSE)
}
write_frame(data.frame(centre = centre, apply(values, 2, number)), "combat_data.csv")
alike <- suppressMessages(sva::ComBat(t(values), batch = centre))
write_frame(apply(t(alike), 2, number), "combat.csv")
