/** Starts the page. */
import { render } from 'preact';
import { startTheme } from './state/theme.ts';
import { Page } from './state/page.ts';
import { App } from './ui/app.tsx';
import './style/base.css';
import './style/layout.css';
import './style/controls.css';
import './style/overview.css';
import './style/list.css';
import './style/row.css';
import './style/charts.css';
import './style/tables.css';
import './style/dialogs.css';

startTheme();
const page = new Page();
page.start();
const place = document.getElementById('page');
if (place) render(<App page={page} />, place);
