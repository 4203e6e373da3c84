@echo off
rem Runs the tests: sets up what is missing, then pytest. Arguments go to pytest.
setlocal
call "%~dp0setup.cmd" || exit /b 1
cd /d "%~dp0"
".venv\Scripts\python.exe" -m pytest %*
exit /b %errorlevel%
