@echo off
rem Opens the window (or runs a subcommand): sets up what is missing, then starts the program.
setlocal EnableExtensions DisableDelayedExpansion
call "%~dp0setup.cmd"
if not %errorlevel%==0 exit /b 1
set "PYTHONPATH=%~dp0;%PYTHONPATH%"
if "%PYTHONPATH:~-1%"==";" set "PYTHONPATH=%PYTHONPATH:~0,-1%"
"%~dp0.venv\Scripts\python.exe" -P -m desktop %*
set "code=%errorlevel%"
if "%code%"=="103" echo The Python that .venv was made with is gone: delete the folder .venv and start again. 1>&2
exit /b %code%
