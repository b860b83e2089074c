@echo off
set "folder=%~1"
if "%folder%"=="" set /p "folder=Copy to which folder? "
powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0install.ps1" -Folder "%folder%"
pause
