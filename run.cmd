@echo off
rem Opens the window (or runs a subcommand): sets up what is missing, then starts the program.
setlocal
call "%~dp0setup.cmd" || exit /b 1
set "PYTHONPATH=%~dp0;%PYTHONPATH%"
"%~dp0.venv\Scripts\python.exe" -P -m desktop %*
exit /b %errorlevel%
