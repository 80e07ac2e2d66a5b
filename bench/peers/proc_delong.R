# Seconds that pROC needs for DeLong's paired test: Rscript --vanilla bench/peers/proc_delong.R data.csv
# The file has the columns label, a, b. Reading it is not counted; the best of three runs is printed, then z.
suppressMessages(library(pROC))
data <- read.csv(commandArgs(trailingOnly = TRUE)[1])
once <- function() {
  first <- roc(data$label, data$a, levels = c(0, 1), direction = "<", quiet = TRUE)
  second <- roc(data$label, data$b, levels = c(0, 1), direction = "<", quiet = TRUE)
  roc.test(first, second, method = "delong", paired = TRUE)
}
seconds <- min(replicate(3, system.time(once(), gcFirst = TRUE)[["elapsed"]]))
cat(sprintf("%.17g %.17g\n", seconds, once()$statistic))
