# Sourced: what the programs of this directory need, or one line of why they skip.
skip() {
  echo "skipped: $1"
  echo '0 passed, 0 failed, 1 skipped'
  exit
}
command -v node >/dev/null && command -v npm >/dev/null || skip 'the search oracle needs node 18 and npm'
node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || skip 'the search oracle needs node 18 or later'
