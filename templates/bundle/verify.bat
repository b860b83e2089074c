@powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0verify.ps1"
@pause
