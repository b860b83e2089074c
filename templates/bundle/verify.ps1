# Checks every file of this folder against SHA256SUMS and names each that differs or is missing.
$ErrorActionPreference = 'Stop'
Set-Location -LiteralPath $PSScriptRoot
$count = 0
$wrong = 0
foreach ($line in Get-Content -LiteralPath 'SHA256SUMS' -Encoding UTF8) {
    $sum, $name = $line -split '  ', 2
    $count += 1
    if (-not (Test-Path -LiteralPath $name -PathType Leaf)) {
        "MISSING: $name"
        $wrong += 1
    } elseif ((Get-FileHash -LiteralPath $name -Algorithm SHA256).Hash -ne $sum) {
        "DAMAGED: $name"
        $wrong += 1
    }
}
if ($wrong -or -not $count) {
    "$wrong of $count files are not as they were made. Copy those again."
    exit 1
}
"All $count files are as they were made."
