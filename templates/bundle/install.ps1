# Copies the solofile for Windows into a folder. Everything is checked on the way, and what lies
# here in parts is put together. Run it again after an interruption, and it goes on.
param([Parameter(Mandatory = $true)][string]$Folder, [string]$System = 'windows-x86_64')
$ErrorActionPreference = 'Stop'

# Reads some bytes of one stream, writes them to another if there is one, and returns their SHA-256.
function Read-Bytes($From, [long]$Left, $Into) {
    $hash = [System.Security.Cryptography.SHA256]::Create()
    $buffer = New-Object byte[] 4194304
    while ($Left -gt 0) {
        $read = $From.Read($buffer, 0, [int][Math]::Min($Left, [long]$buffer.Length))
        if ($read -eq 0) { break }
        [void]$hash.TransformBlock($buffer, 0, $read, $null, 0)
        if ($Into) { $Into.Write($buffer, 0, $read) }
        $Left -= $read
    }
    [void]$hash.TransformFinalBlock($buffer, 0, 0)
    -join ($hash.Hash | ForEach-Object { $_.ToString('x2') })
}

$to = (New-Item -ItemType Directory -Force -Path $Folder).FullName
Set-Location -LiteralPath $PSScriptRoot
$sums = @(Get-Content -LiteralPath 'SHA256SUMS' -Encoding UTF8)
$list = "systems/$System.sha256"
if ($sums -notcontains "$((Get-FileHash -LiteralPath $list).Hash)  $list") {
    "DAMAGED: $list or SHA256SUMS. Copy both here again; then run this again."
    exit 1
}
$wrong = 0
foreach ($line in Get-Content -LiteralPath $list -Encoding UTF8) {
    $whole, $name = $line -split '  ', 2
    $isPiece = '^' + [regex]::Escape($name) + '(\.\d{3,})?$'
    $broken = $false
    $copy = [System.IO.File]::Open("$to\$name.part", 'OpenOrCreate', 'ReadWrite')
    try {
        foreach ($entry in $sums) {
            $sum, $piece = $entry -split '  ', 2
            if ($piece -cnotmatch $isPiece) { continue }
            if (-not (Test-Path -LiteralPath $piece -PathType Leaf)) {
                "MISSING: $piece"
                $broken = $true
                continue
            }
            $at = $copy.Position
            $file = [System.IO.File]::OpenRead("$PSScriptRoot\$piece")
            $isThere = (-not $broken) -and ($copy.Length -ge $at + $file.Length) -and
                ((Read-Bytes $copy $file.Length $null) -eq $sum)
            if (-not $isThere) {
                if ($broken) { $into = $null } else { $into = $copy }
                $copy.Position = $at
                if (-not $broken) { $copy.SetLength($at); "Copying $piece" }
                if ((Read-Bytes $file $file.Length $into) -ne $sum) {
                    "DAMAGED: $piece"
                    $broken = $true
                    $copy.Position = $at
                }
            }
            $file.Close()
        }
        $copy.SetLength($copy.Position)
    } finally { $copy.Close() }
    if (-not $broken -and (Get-FileHash -LiteralPath "$to\$name.part").Hash -ne $whole) {
        "DAMAGED: the copy of $name. Is that disk sound?"
        $broken = $true
    }
    if ($broken) { $wrong += 1 } else { Move-Item -Force "$to\$name.part" "$to\$name" }
}
if ($wrong) {
    'What is named above must be copied here again; then run this again.'
    exit 1
}
"Done, and every byte is as it was made. It is in $to."
